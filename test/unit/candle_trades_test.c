/* SPDX-License-Identifier: Apache-2.0 */
/* Trades in any order within a few seconds make the seconds that sorting all of them makes. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "candle/trades.h"

enum { TRADES = 4000, SECONDS = 60, UNIT = 100000000 };

static uint64_t random_state;

static int64_t roll(int64_t from, int64_t to)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return from + (int64_t)((random_state >> 33) % (uint64_t)(to - from + 1));
}

static const int64_t base_ms = 1773240000000;

struct numbered {
    struct upbit_trade trade;
    int64_t order; /* arrival */
};

static int by_order(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

/* Real sequential ids ascend with time; several trades share a millisecond. */
static void make(struct numbered *all)
{
    int64_t ms = base_ms;
    for (int k = 0; k < TRADES; k++) {
        ms += roll(0, 2 * SECONDS * 1000 / TRADES - 1);
        all[k].trade = (struct upbit_trade){.sequential_id = ms * 10000 + k,
                                            .trade_ms = ms,
                                            .timestamp_ms = ms + roll(0, 50),
                                            .price = roll(1, 9000000) * 1000003,
                                            .volume = roll(1, 3 * (int64_t)UNIT)};
        all[k].order = ms + roll(0, 3000);
    }
}

/* The second from trades in order of their ids; the amount exactly, rounded once, half up. */
static struct candle second_of(const struct numbered *sorted, int64_t start_ms)
{
    struct candle c = {.start_ms = start_ms, .rev = 1};
    decimal_units amount16 = 0;
    for (int k = 0; k < TRADES; k++) {
        const struct upbit_trade *t = &sorted[k].trade;
        if (t->trade_ms < start_ms || t->trade_ms >= start_ms + 1000)
            continue;
        if (amount16 == 0) {
            c.open = c.high = c.low = t->price;
        }
        c.high = t->price > c.high ? t->price : c.high;
        c.low = t->price < c.low ? t->price : c.low;
        c.close = t->price;
        c.volume += t->volume;
        amount16 += t->price * t->volume;
        c.timestamp_ms = t->trade_ms > c.timestamp_ms ? t->trade_ms : c.timestamp_ms;
    }
    c.amount = amount16 / UNIT + (amount16 % UNIT >= UNIT / 2);
    return c;
}

static void check_seed(uint64_t seed)
{
    static struct numbered sorted[TRADES], shuffled[TRADES];
    static struct candle newest[2 * SECONDS + 4];
    random_state = seed;
    memset(newest, 0, sizeof newest);
    make(sorted);
    memcpy(shuffled, sorted, sizeof sorted);
    qsort(shuffled, TRADES, sizeof *shuffled, by_order);
    struct trades *t = trades_new();
    for (int k = 0; k < TRADES; k++) {
        struct candle c;
        const struct upbit_trade *trade = &shuffled[k].trade;
        assert_int_equal(trades_add(t, "KRW-BTC", trade, &c), OK);
        struct candle *before = &newest[(c.start_ms - base_ms) / 1000];
        assert_int_equal(c.start_ms, interval_start(INTERVAL_1S, trade->trade_ms));
        assert_true(candle_compare(&c, before) > 0); /* the engine's merge must take it */
        *before = c;
        if (k % 7 == 0) /* said twice, then and now */
            assert_int_equal(
                trades_add(t, "KRW-BTC", &shuffled[roll(k > 50 ? k - 50 : 0, k)].trade, &c),
                ERR_NOT_FOUND);
    }
    for (size_t k = 0; k < sizeof newest / sizeof *newest; k++) {
        struct candle want = second_of(sorted, base_ms + (int64_t)k * 1000);
        if (want.volume)
            assert_int_equal(candle_compare(&newest[k], &want), 0);
        else
            assert_true(newest[k].volume == 0);
    }
    trades_free(&t);
}

static void test_shuffled_trades(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        check_seed(seed);
}

static void test_markets_do_not_mix(void **state)
{
    (void)state;
    struct trades *t = trades_new();
    struct candle c;
    struct upbit_trade trade = {
        .sequential_id = 7, .trade_ms = base_ms, .price = UNIT, .volume = 3};
    assert_int_equal(trades_add(t, "KRW-BTC", &trade, &c), OK);
    assert_int_equal(trades_add(t, "KRW-ETH", &trade, &c), OK);
    assert_true(c.volume == 3);
    assert_int_equal(trades_add(t, "KRW-ETH", &trade, &c), ERR_NOT_FOUND);
    trades_free(&t);
}

static void test_too_late(void **state)
{
    (void)state;
    struct trades *t = trades_new();
    struct candle c;
    struct upbit_trade trade = {
        .sequential_id = 1, .trade_ms = base_ms + TRADES_KEEP_MS, .price = UNIT, .volume = UNIT};
    assert_int_equal(trades_add(t, "KRW-BTC", &trade, &c), OK);
    trade.sequential_id = 2;
    trade.trade_ms = base_ms;
    assert_int_equal(trades_add(t, "KRW-BTC", &trade, &c), OK);
    trade.sequential_id = 3;
    trade.trade_ms = base_ms - 1;
    assert_int_equal(trades_add(t, "KRW-BTC", &trade, &c), ERR_STALE);
    trades_free(&t);
}

static void test_amount_beyond_representable(void **state)
{
    (void)state;
    struct trades *t = trades_new();
    struct candle c;
    struct upbit_trade trade = {.sequential_id = 1,
                                .trade_ms = base_ms,
                                .price = INT64_MAX,
                                .volume = (decimal_units)1 << 70};
    assert_int_equal(trades_add(t, "KRW-BTC", &trade, &c), ERR_RANGE);
    /* Refused, it left nothing behind. */
    trade.price = UNIT;
    trade.volume = 2;
    assert_int_equal(trades_add(t, "KRW-BTC", &trade, &c), OK);
    assert_true(c.volume == 2 && c.open == UNIT && c.high == UNIT);
    trades_free(&t);
}

static void test_rounding_is_once_and_half_up(void **state)
{
    (void)state;
    struct trades *t = trades_new();
    struct candle c;
    /* Two amounts of 0.5 units each: rounded one by one they would make 2. */
    struct upbit_trade trade = {
        .sequential_id = 1, .trade_ms = base_ms, .price = UNIT / 2, .volume = 1};
    assert_int_equal(trades_add(t, "KRW-BTC", &trade, &c), OK);
    assert_true(c.amount == 1);
    trade.sequential_id = 2;
    assert_int_equal(trades_add(t, "KRW-BTC", &trade, &c), OK);
    assert_true(c.amount == 1);
    trades_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shuffled_trades),
        cmocka_unit_test(test_markets_do_not_mix),
        cmocka_unit_test(test_too_late),
        cmocka_unit_test(test_amount_beyond_representable),
        cmocka_unit_test(test_rounding_is_once_and_half_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
