/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/header: the HTTP answer headers that we act on. Strict readers of outside bytes: false
 * and *out untouched when the text is not exactly of the form. Pure, thread-safe.
 */
#ifndef STOFKA_EXCHANGE_HEADER_H
#define STOFKA_EXCHANGE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange_remaining {
    char group[24];
    int64_t min, sec; /* requests left in this minute (a constant, deprecated) and second */
};

/* "group=candles; min=600; sec=9": members in any order, unknown ones ignored; group and sec are
 * required. */
bool exchange_remaining_read(const char *text, size_t len, struct exchange_remaining *out);

/* Date: "Wed, 11 Mar 2026 14:40:59 GMT" to ms UTC. */
bool exchange_date_read(const char *text, size_t len, int64_t *out_ms);

/* Retry-After in seconds ("30"); its date form is not accepted. */
bool exchange_seconds_read(const char *text, size_t len, int64_t *out_s);

/* The body of a 418, whose shape is not published: the first whole number directly before a word
 * "second(s)" or "s", in any case; 0: none. */
int64_t exchange_ban_read(const char *text, size_t len);

/* A header line "Name: value\r\n" of the given name, in any case: value without the blanks around
 * it. */
bool exchange_header_is(const char *line, size_t len, const char *name, const char **value,
                        size_t *value_len);

#endif
