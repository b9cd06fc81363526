/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange_probe: the room exchange on a wire, its events as lines, for test/system and by hand.
 *
 *     exchange_probe URL [key=value …]    codes, types (ticker,candle,trade), format, ca, stall_ms,
 *                                         refresh_ms, rest, frame_max, quiet (1: count frames only)
 *
 * stdin: "fetch CODE INTERVAL TO_MS COUNT PRIORITY", "now", "count", "metrics", "quit"; its end is
 * a quit. stdout: one line an event, first word its name, second the monotonic ms.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "exchange/exchange.h"

static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int64_t frames;
static bool quiet;

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
    struct buf b = {0};
    char text[2048];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_printf(&b, "%s\n", text);
    pthread_mutex_lock(&out_lock);
    (void)fwrite(b.data, 1, b.len, stdout);
    fflush(stdout);
    pthread_mutex_unlock(&out_lock);
    buf_free(&b);
}

static void codes_write(char *out, size_t size, const struct exchange_list *list)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < list->count && i < 8; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? "," : "",
                                list->markets[i].code);
}

static void on_markets(void *ctx, const struct exchange_list *list)
{
    char codes[256];

    (void)ctx;
    codes_write(codes, sizeof(codes), list);
    say("markets %" PRId64 " count=%zu first=%s name=%s", clock_mono_ms(), list->count, codes,
        list->count > 0 ? list->markets[0].english_name : "");
}

static void on_frame(void *ctx, const struct upbit_frame *f, const char *json, size_t len,
                     int64_t receive_ms)
{
    (void)ctx;
    atomic_fetch_add(&frames, 1);
    if (!quiet)
        say("frame %" PRId64 " kind=%d code=%s ts=%" PRId64 " start=%" PRId64 " snapshot=%d "
            "receive=%" PRId64 " json=%.*s",
            clock_mono_ms(), (int)f->kind, f->code, f->timestamp_ms, f->candle.start_ms,
            f->snapshot, receive_ms, (int)len, json);
}

static void on_watermark(void *ctx, int64_t since_ms, int64_t exchange_ms,
                         const struct exchange_list *heard)
{
    (void)ctx;
    say("watermark %" PRId64 " since=%" PRId64 " at=%" PRId64 " heard=%zu", clock_mono_ms(),
        since_ms, exchange_ms, heard->count);
}

static void on_lost(void *ctx, const char *code, int64_t from_ms, int64_t to_ms, const char *reason)
{
    (void)ctx;
    say("lost %" PRId64 " code=%s from=%" PRId64 " to=%" PRId64 " reason=%s", clock_mono_ms(), code,
        from_ms, to_ms, reason);
}

static void on_down(void *ctx, int64_t last_ms, const char *reason,
                    const struct exchange_list *heard)
{
    (void)ctx;
    say("down %" PRId64 " last=%" PRId64 " reason=%s heard=%zu", clock_mono_ms(), last_ms, reason,
        heard->count);
}

static void on_state(void *ctx, enum exchange_state s, const char *text)
{
    static const char *const names[] = {"connecting", "live", "stale", "down"};

    (void)ctx;
    say("state %" PRId64 " %s %s", clock_mono_ms(), names[s], text);
}

static void on_rows(void *ctx, enum err e, const struct exchange_rows *rows)
{
    (void)ctx;
    say("rows %" PRId64 " err=%s code=%s interval=%s to=%" PRId64 " asked=%zu count=%zu "
        "newest=%" PRId64 " oldest=%" PRId64 " server=%" PRId64,
        clock_mono_ms(), err_text(e), rows->code, interval_name(rows->interval), rows->to_ms,
        rows->asked, rows->count, rows->count > 0 ? rows->rows[0].start_ms : 0,
        rows->count > 0 ? rows->rows[rows->count - 1].start_ms : 0, rows->server_ms);
}

static void option(struct exchange_settings *s, const char *key, const char *value)
{
    if (strcmp(key, "codes") == 0)
        s->codes = value;
    else if (strcmp(key, "format") == 0)
        s->format = value;
    else if (strcmp(key, "ca") == 0)
        s->ca_file = value;
    else if (strcmp(key, "stall_ms") == 0)
        s->stall_ms = atoll(value);
    else if (strcmp(key, "refresh_ms") == 0)
        s->refresh_ms = atoll(value);
    else if (strcmp(key, "rest") == 0)
        s->rest_per_second = atoll(value);
    else if (strcmp(key, "frame_max") == 0)
        s->frame_max = atoll(value);
    else if (strcmp(key, "quiet") == 0)
        quiet = true;
    else if (strcmp(key, "types") == 0) {
        s->hear_ticker = strstr(value, "ticker") != NULL;
        s->hear_candle = strstr(value, "candle") != NULL;
        s->hear_trade = strstr(value, "trade") != NULL;
    }
}

static void fetch(struct exchange *x, const char *line)
{
    char code[CODE_MAX], interval[8];
    long long to, count;
    int priority;
    enum interval i;
    enum err e;

    if (sscanf(line, "fetch %23s %7s %lld %lld %d", code, interval, &to, &count, &priority) != 5 ||
        interval_parse(interval, strlen(interval), &i) != OK) {
        say("usage 0 fetch CODE INTERVAL TO_MS COUNT PRIORITY");
        return;
    }
    struct exchange_question q = {.interval = i, .to_ms = to, .count = (size_t)count};
    snprintf(q.code, sizeof(q.code), "%s", code);
    e = exchange_fetch(x, &q, (enum exchange_priority)priority, on_rows, NULL);
    if (e != OK)
        say("refused %" PRId64 " err=%s code=%s", clock_mono_ms(), err_text(e), code);
}

static void command(struct exchange *x, const char *line)
{
    struct buf b = {0};

    if (strncmp(line, "fetch", 5) == 0) {
        fetch(x, line);
    } else if (strncmp(line, "now", 3) == 0) {
        say("now %" PRId64 " at=%" PRId64, clock_mono_ms(), exchange_now_ms(x));
    } else if (strncmp(line, "count", 5) == 0) {
        say("count %" PRId64 " frames=%" PRId64, clock_mono_ms(), atomic_load(&frames));
    } else if (strncmp(line, "metrics", 7) == 0) {
        metric_text(&b);
        for (size_t at = 0, n; at < b.len; at += n + 1) {
            n = strcspn(b.data + at, "\n");
            if (b.data[at] != '#')
                say("metric %.*s", (int)n, b.data + at);
        }
        say("metrics-end");
        buf_free(&b);
    }
}

int main(int argc, char **argv)
{
    struct exchange_settings s = {
        .url = argc > 1 ? argv[1] : "",
        .ca_file = "",
        .codes = "",
        .format = "DEFAULT",
        .hear_ticker = true,
        .hear_candle = true,
        .stall_ms = 5000,
        .refresh_ms = 60000,
        .rest_per_second = 9,
        .frame_max = 4 << 20,
    };
    struct exchange_events events = {NULL,    on_markets, on_frame, on_watermark,
                                     on_lost, on_down,    on_state};
    struct exchange *x;
    struct buf error = {0};
    char line[256];
    int64_t stop_ms;

    for (int i = 2; i < argc; i++) {
        char *eq = strchr(argv[i], '=');

        if (eq != NULL) {
            *eq = '\0';
            option(&s, argv[i], eq + 1);
        }
    }
    exchange_metrics_register();
    if (exchange_open(&s, &events, &x, &error) != OK) {
        say("config 0 %s", error.data);
        buf_free(&error);
        return 2;
    }
    exchange_start(x);
    while (fgets(line, sizeof(line), stdin) != NULL && strncmp(line, "quit", 4) != 0)
        command(x, line);
    stop_ms = clock_mono_ms();
    exchange_stop(x);
    say("stopped %" PRId64 " took=%" PRId64, clock_mono_ms(), clock_mono_ms() - stop_ms);
    exchange_free(&x);
    return 0;
}
