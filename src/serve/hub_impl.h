/* SPDX-License-Identifier: Apache-2.0 */
/* serve/hub_impl: items, groups and the ring, for hub*.c alone. See serve/hub.h. */
#ifndef STOFKA_SERVE_HUB_IMPL_H
#define STOFKA_SERVE_HUB_IMPL_H

#include "serve/hub.h"

struct serve_item *serve_item_new(unsigned nodes);
void serve_item_free(struct serve_item **it); /* takes it off its lists */

void serve_groups_init(struct serve_groups *g);
/* Puts the item's next unused node (number n) to the end of the group. */
void serve_group_put(struct serve_hub *h, struct serve_group *g, struct serve_item *it, unsigned n);

void serve_ring_init(struct serve_ring *r, size_t max_events, size_t max_bytes);
void serve_ring_fini(struct serve_hub *h);
/* Puts an entry in, making room by dropping the oldest. */
void serve_ring_add(struct serve_hub *h, const struct serve_ring_entry *e);

#endif
