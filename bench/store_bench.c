/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throughput and latency of a store.  store_bench URL ROWS
 * ROWS second candles over 200 markets in 1000-row batches: inserted, then written again (upsert);
 * then the newest 200 of a market, the newest 200 while a writer commits, and live batches (one
 * second of 20 markets in all intervals, with coverage, an event each and the position).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store.h"

enum { MARKETS = 200, BATCH = 1000, READS = 20000, LIVE = 2000, LIVE_MARKETS = 20 };

static int64_t position; /* of the only lane */

static void check(enum err e, const struct buf *error)
{
    if (!e)
        return;
    fprintf(stderr, "%s: %s\n", err_text(e), error && error->data ? error->data : "");
    exit(1);
}

static void name_market(char *code, int64_t m)
{
    snprintf(code, CODE_MAX, "KRW-B%d", (int)m);
}

static void make_row(struct store_row *r, int64_t market, enum interval i, int64_t start_ms)
{
    *r = (struct store_row){.interval = i,
                            .candle = {.start_ms = start_ms,
                                       .open = 10360000000000000,
                                       .high = 10360000000000000,
                                       .low = 10342500000000000 + start_ms,
                                       .close = 10346000000000000,
                                       .volume = 159335120 + start_ms % 100000000,
                                       .amount = 16489950314206000 + start_ms,
                                       .timestamp_ms = start_ms + 937,
                                       .rev = 1,
                                       .state = CANDLE_CLOSED,
                                       .source = SOURCE_SIMULATED}};
    name_market(r->code, market);
}

static double seconds_since(int64_t ns)
{
    return (double)(clock_mono_ns() - ns) / 1e9;
}

static void write_all(struct store *s, int64_t count, const char *what)
{
    static struct store_row rows[BATCH];
    struct buf error = {0};
    int64_t begun = clock_mono_ns();
    for (int64_t n = 0; n < count; n += BATCH) {
        for (int64_t i = 0; i < BATCH; i++)
            make_row(&rows[i], (n + i) % MARKETS, INTERVAL_1S, (n + i) / MARKETS * 1000);
        struct store_lane lane = {.from = position, .next = position + BATCH};
        position += BATCH;
        struct store_batch b = {.rows = rows, .row_count = BATCH, .lanes = &lane, .lane_count = 1};
        check(store_apply(s, &b, &error), &error);
    }
    printf("%-32s %10.0f rows/s\n", what, (double)count / seconds_since(begun));
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void tell(const char *what, int64_t *ns, size_t count)
{
    qsort(ns, count, sizeof *ns, by_size);
    size_t half = count / 2, most = count * 99 / 100;
    printf("%-32s p50 %7.1f us  p99 %8.1f us  max %8.1f us\n", what, (double)ns[half] / 1e3,
           (double)ns[most] / 1e3, (double)ns[count - 1] / 1e3);
}

static void count_row(void *ctx, const struct candle *c)
{
    (void)c;
    ++*(int64_t *)ctx;
}

static int64_t read_newest(struct store_reader *r, int market)
{
    struct store_query q = {.interval = INTERVAL_1S,
                            .from_ms = INT64_MIN,
                            .to_ms = INT64_MAX,
                            .limit = 200,
                            .newest_first = true};
    int64_t count = 0;
    uint64_t seq;
    name_market(q.code, market);
    int64_t begun = clock_mono_ns();
    check(store_range(r, &q, count_row, &count, &seq), NULL);
    int64_t took = clock_mono_ns() - begun;
    if (count != 200) {
        fprintf(stderr, "only %d rows\n", (int)count);
        exit(1);
    }
    return took;
}

static void read_all(struct store_reader *r)
{
    static int64_t ns[READS];
    for (int i = 0; i < READS; i++)
        ns[i] = read_newest(r, 7);
    tell("newest 200 of one market", ns, READS);
    for (int i = 0; i < READS; i++)
        ns[i] = read_newest(r, i * 37 % MARKETS);
    tell("newest 200 of changing markets", ns, READS);
}

static void live_batch(struct store *s, int64_t second, int64_t base_ms)
{
    static struct store_row rows[LIVE_MARKETS * INTERVAL_COUNT];
    static struct store_coverage coverage[LIVE_MARKETS];
    static struct store_event events[LIVE_MARKETS * INTERVAL_COUNT];
    static char body[300];
    struct store_span span = {base_ms, base_ms + second * 1000};
    struct buf error = {0};
    memset(body, '{', sizeof body);
    size_t count = 0;
    for (int m = 0; m < LIVE_MARKETS; m++) {
        for (int i = 0; i < INTERVAL_COUNT; i++, count++) {
            make_row(&rows[count], m, (enum interval)i,
                     interval_start((enum interval)i, base_ms + second * 1000));
            events[count] =
                (struct store_event){0, (uint64_t)second * 240 + count, body, sizeof body};
        }
        coverage[m] = (struct store_coverage){.spans = &span, .count = 1};
        name_market(coverage[m].code, m);
    }
    struct store_lane lane = {.from = position,
                              .next = position + 1,
                              .seq = (uint64_t)second * 240,
                              .watermark_ms = second};
    position++;
    struct store_batch b = {.rows = rows,
                            .row_count = count,
                            .coverage = coverage,
                            .coverage_count = LIVE_MARKETS,
                            .events = events,
                            .event_count = count,
                            .lanes = &lane,
                            .lane_count = 1};
    check(store_apply(s, &b, &error), &error);
}

static void live(struct store *s, struct store_reader *r, int64_t base_ms)
{
    static int64_t write_ns[LIVE], read_ns[LIVE];
    for (int64_t i = 0; i < LIVE; i++) {
        int64_t begun = clock_mono_ns();
        live_batch(s, i + 1, base_ms);
        write_ns[i] = clock_mono_ns() - begun;
        read_ns[i] = read_newest(r, 7);
    }
    tell("live batch, 240 rows and events", write_ns, LIVE);
    tell("newest 200 after each commit", read_ns, LIVE);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: store_bench URL ROWS\n", stderr);
        return 2;
    }
    int64_t rows = atoll(argv[2]) / BATCH * BATCH;
    struct store_settings settings = {
        .url = argv[1], .keep_events = 100000, .source = SOURCE_SIMULATED};
    struct store *s;
    struct store_reader *r;
    struct buf error = {0};
    int64_t begun = clock_mono_ns();
    check(store_open(&settings, &s, &error), &error);
    check(store_reader_open(s, &r, &error), &error);
    printf("%-32s %10.1f ms\n", "open", seconds_since(begun) * 1e3);
    write_all(s, rows, "insert");
    write_all(s, rows < 1000000 ? rows : 1000000, "upsert");
    read_all(r);
    live(s, r, rows / MARKETS * 1000 + 60000);
    store_reader_free(&r);
    store_free(&s);
    begun = clock_mono_ns();
    check(store_open(&settings, &s, &error), &error);
    check(store_reader_open(s, &r, &error), &error);
    struct store_meta m;
    check(store_meta(r, &m), NULL);
    printf("%-32s %10.1f ms\n", "open again", seconds_since(begun) * 1e3);
    store_reader_free(&r);
    store_free(&s);
    return 0;
}
