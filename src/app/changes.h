/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/changes: which candles of one lane changed lately, and by which message. A page of candles
 * that was kept somewhere is good as long as nothing in its span changed since it was read, whoever
 * keeps it and whatever became of a word to drop it. One thread.
 */
#ifndef STOFKA_APP_CHANGES_H
#define STOFKA_APP_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/candle.h"

enum { CHANGES_MAX = 8192 };

struct changes {
    struct change {
        char code[CODE_MAX];
        enum interval interval;
        int64_t start_ms;
        uint64_t stamp;
    } ring[CHANGES_MAX];
    size_t first, count;
    uint64_t floor; /* changes up to here may have left the ring */
};

void changes_start(struct changes *c, uint64_t stamp); /* nothing is known of before */
void changes_add(struct changes *c, const char *code, enum interval i, int64_t start_ms,
                 uint64_t stamp);
/* A candle of the series that starts in [from_ms, to_ms) changed by a message in (after, upto], or
 * it is too long ago to know. */
bool changes_hit(const struct changes *c, const char *code, enum interval i, int64_t from_ms,
                 int64_t to_ms, uint64_t after, uint64_t upto);

#endif
