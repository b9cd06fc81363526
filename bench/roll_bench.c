/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll_bench: one core from the exchange's text to closed candles of all intervals.
 *
 *     roll_bench MARKETS SECONDS
 *
 * The text of one second candle a market and second is decoded, merged, rolled up into every
 * interval and closed by a watermark a second, as the loop does; what is to be stored is only
 * counted. Beside it: reading all that text once, eight bytes a step, which is the least that any
 * decoder must do. Of the processor's time, so that what else the machine does must not count.
 * Prints one line of JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "candle/candle.h"
#include "model/upbit.h"

enum { CHUNK_SECONDS = 60 };
static const int64_t begin_ms = 1773187200000; /* 2026-03-11T00:00:00Z */

struct counts {
    uint64_t events, kept, stamp;
};

static uint64_t on_event(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct counts *n = ctx;
    (void)code;
    (void)i;
    (void)c;
    return ++n->events;
}

static void on_forming(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    (void)ctx;
    (void)code;
    (void)i;
    (void)c;
}

static void on_keep(void *ctx, const char *code, enum interval i, const struct candle *c,
                    unsigned flags)
{
    (void)flags;
    struct counts *n = ctx;
    (void)code;
    (void)i;
    (void)c;
    n->kept++;
}

static void on_gap(void *ctx, const struct candle_gap *g)
{
    (void)ctx;
    (void)g;
}

static void on_coverage(void *ctx, const char *code, enum interval level, bool lost,
                        const struct spans *spans)
{
    (void)ctx;
    (void)code;
    (void)level;
    (void)lost;
    (void)spans;
}

static enum err no_rows(void *ctx, const char *code, enum interval i, struct span span,
                        candle_loaded_f *each, void *each_ctx)
{
    (void)ctx;
    (void)code;
    (void)i;
    (void)span;
    (void)each;
    (void)each_ctx;
    return OK;
}

static int64_t cpu_ns(void)
{
    struct timespec ts;
    REQUIRE(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void name_market(char code[CODE_MAX], int64_t m)
{
    snprintf(code, CODE_MAX, "KRW-B%d", (int)m);
}

/* The frames of some seconds, one after another; lens: of each. */
static void write_frames(struct buf *text, size_t *lens, int64_t markets, int64_t from, int64_t to)
{
    size_t n = 0;
    for (int64_t s = from; s < to; s++)
        for (int64_t m = 0; m < markets; m++) {
            char code[CODE_MAX];
            size_t before = text->len;
            int64_t step = (s * 7919 + m * 104729) % 1000 * 100000000;
            struct candle c = {.start_ms = begin_ms + s * 1000,
                               .open = 10360000000000000 + step,
                               .high = 10360000000000000 + 2 * step,
                               .low = 10342500000000000,
                               .close = 10346000000000000 + step,
                               .volume = 159335120 + step,
                               .amount = 16489950314206000 + step,
                               .timestamp_ms = begin_ms + s * 1000 + 937,
                               .rev = 1};
            name_market(code, m);
            upbit_candle_write(text, code, INTERVAL_1S, &c);
            lens[n++] = text->len - before;
        }
}

static void watermark(struct candle_engine *e, struct counts *n, int64_t markets, int64_t second)
{
    static struct message_watermark w;
    for (int64_t m = (int64_t)w.codes.count; m < markets; m++) {
        char code[CODE_MAX];
        name_market(code, m);
        message_codes_add(&w.codes, code, strlen(code));
    }
    w.since_ms = begin_ms - 1000;
    w.exchange_ms = begin_ms + second * 1000 + 999;
    candle_engine_at(e, ++n->stamp);
    candle_engine_watermark(e, "bench", &w);
    candle_engine_settle(e);
    candle_engine_committed(e, n->stamp);
}

static int64_t roll(struct candle_engine *e, struct counts *n, const struct buf *text,
                    const size_t *lens, int64_t markets, int64_t from)
{
    const char *at = text->data;
    int64_t begun = cpu_ns();
    for (size_t k = 0; at < text->data + text->len; at += lens[k++]) {
        struct upbit_frame f;
        struct upbit_reason why;
        REQUIRE(upbit_frame_read(at, lens[k], &f, &why) == OK);
        candle_engine_at(e, ++n->stamp);
        candle_engine_candle(e, f.code, f.interval, &f.candle);
        if ((int64_t)(k + 1) % markets == 0)
            watermark(e, n, markets, from + (int64_t)(k + 1) / markets - 1);
    }
    return cpu_ns() - begun;
}

static int64_t scan(const struct buf *text)
{
    static volatile uint64_t kept;
    uint64_t sum = 0, word;
    int64_t begun = cpu_ns();
    for (size_t at = 0; at + sizeof word <= text->len; at += sizeof word) {
        memcpy(&word, text->data + at, sizeof word);
        sum += word;
    }
    kept = sum;
    (void)kept;
    return cpu_ns() - begun;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: roll_bench MARKETS SECONDS\n", stderr);
        return 2;
    }
    struct counts n = {0};
    const struct candle_sink sink = {&n, on_event, on_forming, on_keep, on_gap, on_coverage};
    const struct candle_loader loader = {NULL, no_rows};
    struct candle_engine *e = candle_engine_new(&sink, &loader);
    int64_t markets = atoll(argv[1]), seconds = atoll(argv[2]), rolled = 0, scanned = 0, bytes = 0;
    size_t *lens = mem_array(NULL, (size_t)(markets * CHUNK_SECONDS), sizeof *lens);
    struct buf text = {0};
    for (int64_t s = 0; s < seconds; s += CHUNK_SECONDS) {
        buf_clear(&text);
        write_frames(&text, lens, markets, s, s + CHUNK_SECONDS);
        scanned += scan(&text);
        rolled += roll(e, &n, &text, lens, markets, s);
        bytes += (int64_t)text.len;
    }
    double messages = (double)(markets * seconds);
    printf("{\"messages_per_s\": %.0f, \"scan_messages_per_s\": %.0f, \"bytes_per_message\": %.0f, "
           "\"events\": %" PRIu64 ", \"kept\": %" PRIu64 "}\n",
           messages * 1e9 / (double)rolled, messages * 1e9 / (double)scanned,
           (double)bytes / messages, n.events, n.kept);
    candle_engine_free(&e);
    buf_free(&text);
    free(lens);
    return 0;
}
