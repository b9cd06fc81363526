/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/member: writes members of JSON objects, `"name":value` and nothing around them; shared by
 * the writers of this room. Names come from our own code and hold nothing to escape.
 */
#ifndef STOFKA_MODEL_MEMBER_H
#define STOFKA_MODEL_MEMBER_H

#include "base/buf.h"
#include "model/candle.h"

void member_text(struct buf *out, const char *name, const char *value); /* nothing to escape */
void member_int(struct buf *out, const char *name, int64_t value);
void member_units(struct buf *out, const char *name, decimal_units value); /* 8 decimals */
void member_time(struct buf *out, const char *name, int64_t ms, int64_t offset_ms);
/* Start in UTC and KST, then the four prices; ends with a comma. */
void member_candle(struct buf *out, const struct candle *c);

enum { KST_OFFSET_MS = 9 * 3600 * 1000 };

#endif
