/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded (DESIGN 2.11): an hour of 240 markets traded every second leaves no more memory behind
 * than the first minutes did. STOFKA_RATE=1 prints the rate of candles and settling, too.
 */
#include "check.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "candle/candle.h"

enum { MARKETS = 240, HOUR = 3600, UNIT = 100000000 };

struct told {
    uint64_t events, forming, keeps;
};

static uint64_t on_event(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct told *t = ctx;
    (void)code, (void)i, (void)c;
    return ++t->events;
}

static void on_forming(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct told *t = ctx;
    (void)code, (void)i, (void)c;
    t->forming++;
}

static void on_keep(void *ctx, const char *code, enum interval i, const struct candle *c,
                    unsigned flags)
{
    (void)flags;
    struct told *t = ctx;
    (void)code, (void)i, (void)c;
    t->keeps++;
}

static void on_gap(void *ctx, const struct candle_gap *g)
{
    (void)ctx, (void)g;
}

static void on_coverage(void *ctx, const char *code, enum interval level, bool lost,
                        const struct spans *spans)
{
    (void)ctx, (void)code, (void)level, (void)lost, (void)spans;
}

static enum err load(void *ctx, const char *code, enum interval i, struct span span,
                     candle_loaded_f *each, void *each_ctx)
{
    (void)ctx, (void)code, (void)i, (void)span.from_ms, (void)span.to_ms, (void)each,
        (void)each_ctx;
    return OK;
}

static void one_second(struct candle_engine *e, const struct message_codes *codes, int64_t since_ms,
                       int64_t now_ms, uint64_t *stamp)
{
    for (size_t k = 0; k < codes->count; k++) {
        int64_t price = 1000 + (int64_t)(k + (uint64_t)now_ms / 1000 % 7);
        struct candle c = {.start_ms = interval_start(INTERVAL_1S, now_ms),
                           .open = price * UNIT,
                           .high = price * UNIT,
                           .low = price * UNIT,
                           .close = price * UNIT,
                           .volume = UNIT,
                           .amount = (decimal_units)price * UNIT,
                           .timestamp_ms = now_ms,
                           .rev = 1};
        candle_engine_at(e, ++*stamp);
        candle_engine_candle(e, codes->items[k], INTERVAL_1S, &c);
        if (k % 10 == 9)
            candle_engine_settle(e);
    }
    struct message_watermark w = {since_ms, now_ms, *codes};
    candle_engine_at(e, ++*stamp);
    candle_engine_watermark(e, "test", &w);
    candle_engine_settle(e);
    candle_engine_committed(e, *stamp - (*stamp > 2000 ? 2000 : 0)); /* the store lags */
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct told told = {0};
    struct candle_sink sink = {&told, on_event, on_forming, on_keep, on_gap, on_coverage};
    struct candle_loader loader = {NULL, load};
    struct candle_engine *e = candle_engine_new(&sink, &loader);
    struct message_codes codes = {0};
    for (int k = 0; k < MARKETS; k++) {
        char code[CODE_MAX];
        int len = snprintf(code, sizeof code, "KRW-C%d", k);
        message_codes_add(&codes, code, (size_t)len);
    }
    int64_t since = 1801439700000; /* 2027-01-31T23:35:00Z: a day, a week, a month end */
    uint64_t stamp = 0;
    size_t early = 0;
    double start = seconds_now();
    for (int s = 0; s < HOUR; s++) {
        one_second(e, &codes, since, since + s * 1000 + 500, &stamp);
        if (s == 600)
            early = mallinfo2().uordblks;
    }
    double took = seconds_now() - start;
    size_t late = mallinfo2().uordblks;
    if (getenv("STOFKA_RATE"))
        printf("%.0f candles/s, %zu B a market, %llu forming, %llu keeps, %llu events\n",
               (double)HOUR * MARKETS / took, late / MARKETS, (unsigned long long)told.forming,
               (unsigned long long)told.keeps, (unsigned long long)told.events);
    assert_true(told.events > (uint64_t)MARKETS * (HOUR - 10));
    if (early) /* sanitizers keep no count */
        assert_true(late < early + early / 2);
    candle_engine_free(&e);
    message_codes_free(&codes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory_is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
