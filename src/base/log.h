/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/log: logfmt lines on stderr, `ts=… level=info event=room.event key=value …`.
 *
 * Event names are stable: tests and alerts wait on them. Each event name is limited to
 * LOG_BURST lines a second; what was held back is counted and told (`suppressed=N`) on the next
 * line of that event. Thread-safe; a line is one write(2). Values with spaces, quotes or '=' are
 * quoted and escaped by the caller's use of log_quote.
 */
#ifndef STOFKA_BASE_LOG_H
#define STOFKA_BASE_LOG_H

#include <stddef.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum { LOG_BURST = 20 };

void log_set_level(enum log_level level); /* default LOG_INFO; call before threads start */

/* event: string literal "room.event"; fmt: the key=value pairs, may be "" (the macros put a blank
 * before it, which the line has anyway: gcc warns of an empty format). */
void log_write(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(event, ...) log_write(LOG_DEBUG, event, " " __VA_ARGS__)
#define log_info(event, ...)  log_write(LOG_INFO, event, " " __VA_ARGS__)
#define log_warn(event, ...)  log_write(LOG_WARN, event, " " __VA_ARGS__)
#define log_error(event, ...) log_write(LOG_ERROR, event, " " __VA_ARGS__)

/* text as a logfmt value, quoted where needed, cut to fit out[size] (size >= 3); returns out. */
const char *log_quote(char *out, size_t size, const char *text, size_t len);

#endif
