/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candle/spans: sets of time as sorted, disjoint, non-touching spans [from, to) in ms. A market's
 * coverage is a handful of spans. One thread; zero-initialised is the empty set.
 */
#ifndef STOFKA_CANDLE_SPANS_H
#define STOFKA_CANDLE_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    int64_t from_ms, to_ms;
};

struct spans {
    struct span *items;
    size_t count, cap;
};

bool spans_add(struct spans *s, int64_t from_ms, int64_t to_ms);    /* true: the set grew */
bool spans_remove(struct spans *s, int64_t from_ms, int64_t to_ms); /* true: the set shrank */
bool spans_contain(const struct spans *s, int64_t from_ms, int64_t to_ms); /* all of it */
bool spans_touch(const struct spans *s, int64_t from_ms, int64_t to_ms);   /* any of it */
int64_t spans_end(const struct spans *s); /* end of the newest; 0 when empty */
/* First point >= from_ms outside the set. */
int64_t spans_first_outside(const struct spans *s, int64_t from_ms);
/* The span that holds from_ms, which the set must have. */
struct span spans_around(const struct spans *s, int64_t from_ms);
/* First point >= from_ms in the set, at most to_ms. */
int64_t spans_first_inside(const struct spans *s, int64_t from_ms, int64_t to_ms);
void spans_clear(struct spans *s);
void spans_free(struct spans *s);

#endif
