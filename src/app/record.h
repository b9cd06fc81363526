/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/record: what was heard, on disk, so that it can be heard again (`run --record`, `replay`).
 *
 * What is kept are the messages of the bus in the order in which they were applied: frames as the
 * exchange sent them (DEFAULT form), fetched rows, watermarks, gaps, with receive times; the same
 * messages in the same order make the same candles. Lines of JSON, gzip, a new file every hour and
 * every 64 MiB; names sort by time:
 *
 *     {"stofka":"recording","version":1,"source":"upbit","base":"candle"}        first line of each
 *     {"receive_ms":…,"kind":"candle","partition":0,"code":"KRW-BTC","source":"upbit","value":{…}}
 *     {"receive_ms":…,"kind":"market","value":{"code":…,"korean_name":…,"english_name":…,"listed":true}}
 *
 * One thread, the loop's: lines are compressed as they come (300 a second cost 1 % of a core); what
 * was written is on disk at most 5 s later. A disk that fails ends the recording, not the process.
 */
#ifndef STOFKA_APP_RECORD_H
#define STOFKA_APP_RECORD_H

#include <stdbool.h>
#include <stdio.h>

#include "bus/bus.h"
#include "store/store.h"

struct record;

/* ERR_CONFIG: the folder can't be made or written. */
enum err record_open(const char *folder, enum source source, bool base_is_trade,
                     struct record **out, struct buf *error) MUST_CHECK;
void record_message(struct record *r, const struct bus_message *m);
void record_market(struct record *r, const struct store_market *m);
void record_close(struct record **r);

/* --- reading ---------------------------------------------------------------------------- */

enum record_kind { RECORD_HEADER, RECORD_MESSAGE, RECORD_MARKET };

struct record_line {
    enum record_kind kind;
    struct bus_message message; /* MESSAGE: value borrows from the line */
    struct store_market market; /* MARKET */
    int64_t receive_ms;
    enum source source; /* HEADER: of the recorded process */
    bool base_is_trade; /* HEADER */
};

/* One line without its end. Strict: ERR_INVALID for anything that record does not write. Pure. */
enum err record_line_read(const char *text, size_t len, struct record_line *out) MUST_CHECK;

#endif
