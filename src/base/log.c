/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 4096, EVENT_SLOTS = 512 };

/* One row an event name, by open addressing; names are literals and live for ever. */
struct event_limit {
    const char *name; /* NULL: free */
    int64_t second;   /* of the monotonic clock, in which `lines` were written */
    unsigned lines;
    unsigned long suppressed;
};

static struct {
    pthread_mutex_t lock;
    enum log_level level;
    struct event_limit events[EVENT_SLOTS];
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

void log_set_level(enum log_level level)
{
    sink.level = level;
}

static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

static struct event_limit *find_event(const char *name)
{
    uint32_t at = hash(name) % EVENT_SLOTS;
    for (int tries = 0; tries < EVENT_SLOTS; tries++, at = (at + 1) % EVENT_SLOTS) {
        struct event_limit *e = &sink.events[at];
        if (!e->name)
            e->name = name;
        if (strcmp(e->name, name) == 0)
            return e;
    }
    return NULL; /* more event names than slots: not limited */
}

/* true: the line may be written; *suppressed lines of this event were held back before it. */
static bool admit(const char *event, unsigned long *suppressed)
{
    bool yes = true;
    int64_t second = clock_mono_ms() / 1000;
    *suppressed = 0;
    pthread_mutex_lock(&sink.lock);
    struct event_limit *e = find_event(event);
    if (e) {
        if (e->second != second) {
            e->second = second;
            e->lines = 0;
        }
        yes = e->lines < LOG_BURST;
        if (yes) {
            e->lines++;
            *suppressed = e->suppressed;
            e->suppressed = 0;
        } else {
            e->suppressed++;
        }
    }
    pthread_mutex_unlock(&sink.lock);
    return yes;
}

static size_t add(char *line, size_t len, int written)
{
    if (written < 0)
        return len;
    size_t room = LINE_MAX_BYTES - len - 1; /* the newline */
    if ((size_t)written < room)
        return len + (size_t)written;
    memcpy(line + LINE_MAX_BYTES - 5, "...", 3);
    return LINE_MAX_BYTES - 2;
}

static size_t head(char *line, enum log_level level, const char *event)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    int64_t ms = clock_wall_ms();
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t len = strftime(line, LINE_MAX_BYTES, "ts=%Y-%m-%dT%H:%M:%S", &tm);
    return add(line, len,
               snprintf(line + len, LINE_MAX_BYTES - len, ".%03dZ level=%s event=%s",
                        (int)(ms % 1000), names[level], event));
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
    unsigned long suppressed;
    if (level < sink.level || !admit(event, &suppressed))
        return;
    char line[LINE_MAX_BYTES];
    size_t len = head(line, level, event);
    if (suppressed)
        len =
            add(line, len, snprintf(line + len, sizeof line - len, " suppressed=%lu", suppressed));
    fmt += *fmt == ' ';
    if (*fmt) {
        va_list args;
        line[len++] = ' ';
        va_start(args, fmt);
        len = add(line, len, vsnprintf(line + len, sizeof line - len, fmt, args));
        va_end(args);
    }
    for (size_t i = 0; i < len; i++) /* one event, one line, whatever the values hold */
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    line[len++] = '\n';
    ssize_t unused = write(STDERR_FILENO, line, len); /* nowhere to report it to */
    (void)unused;
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        size_t more = c < 0x80 ? 1 : utf8_length(text + i, len - i);
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f || more == 0)
            return false;
        i += more - 1;
    }
    return len > 0;
}

/* The longest beginning of text with at most max bytes that cuts no UTF-8 character. */
static size_t cut(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--;
    return max;
}

/* The byte or UTF-8 character at text (a byte of neither kind as \xNN) as it stands inside quotes,
 * into out; *used: bytes read. */
static size_t escape(const char *text, size_t len, char out[5], size_t *used)
{
    unsigned char c = (unsigned char)*text;
    const char *short_form = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
    *used = 1;
    if (short_form)
        memcpy(out, short_form, 3);
    else if (c == '"' || c == '\\')
        snprintf(out, 5, "\\%c", c);
    else if (c >= 0x20 && c < 0x7f)
        snprintf(out, 5, "%c", c);
    else if (c < 0x80 || utf8_length(text, len) == 0)
        snprintf(out, 5, "\\x%02x", c);
    else {
        *used = utf8_length(text, len);
        memcpy(out, text, *used);
        return *used;
    }
    return strlen(out);
}

const char *log_quote(char *out, size_t size, const char *text, size_t len)
{
    if (is_plain(text, len)) {
        size_t n = cut(text, len, size - 1);
        memcpy(out, text, n);
        out[n] = '\0';
        return out;
    }
    size_t at = 0, used;
    out[at++] = '"';
    for (size_t i = 0; i < len; i += used) {
        char one[5];
        size_t n = escape(text + i, len - i, one, &used);
        if (at + n + 2 > size)
            break;
        memcpy(out + at, one, n);
        at += n;
    }
    out[at++] = '"';
    out[at] = '\0';
    return out;
}
