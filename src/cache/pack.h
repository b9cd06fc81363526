/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache/pack: candles as text lines, as a shared cache keeps them:
 *   start open high low close volume amount timestamp repair rev state source tombstone\n
 * all of them decimal integers, in candle.h's units. The reader is strict: with a server in between
 * these are bytes from outside. Pure.
 */
#ifndef STOFKA_CACHE_PACK_H
#define STOFKA_CACHE_PACK_H

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"

void pack_candle(struct buf *out, const struct candle *c);
/* Reads one line, whose newline may be missing at the end of text. *used: its length with newline.
 * ERR_INVALID: not a line of candles, or a field out of its range. */
enum err unpack_candle(const char *text, size_t len, struct candle *out, size_t *used) MUST_CHECK;

#endif
