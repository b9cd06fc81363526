/* SPDX-License-Identifier: Apache-2.0 */
/* serve_fixture: a hub with the markets KRW-A and KRW-B, and a reader whose client is a text. */
#ifndef STOFKA_TEST_UNIT_SERVE_FIXTURE_H
#define STOFKA_TEST_UNIT_SERVE_FIXTURE_H

#include "serve/reader.h"

extern const struct serve_source fixture_quiet; /* no open windows */
extern const struct serve_source fixture_busy;  /* two of 1m for every market */

void fixture_hub_open(struct serve_hub *h, size_t events, size_t bytes);
void fixture_ticker(struct serve_hub *h, const char *code, int n);
void fixture_event(struct serve_hub *h, const char *code, enum interval i, uint64_t seq);
void fixture_follow(struct serve_reader *r, const char *text, const struct serve_cursor *after);
/* Takes at most max frames; what was taken is added to out. Returns what was conflated. */
uint64_t fixture_take(struct serve_reader *r, size_t max, struct buf *out);
void fixture_assert_takes(struct serve_reader *r, const char *want);

#endif
