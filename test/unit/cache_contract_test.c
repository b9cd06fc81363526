/* SPDX-License-Identifier: Apache-2.0 */
/* What every cache must do. Arguments: the URLs to run it on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cache/cache.h"

static const char *url = "memory:";

static int open_cache(void **state)
{
    struct cache *c = NULL;
    assert_int_equal(cache_open(url, 64 << 20, &c, NULL), OK);
    *state = c;
    return 0;
}

static int close_cache(void **state)
{
    struct cache *c = *state;
    cache_free(&c);
    return c != NULL;
}

static struct cache_page_key key_of(const char *code, enum interval i, int64_t to_ms, size_t limit)
{
    struct cache_page_key k = {.interval = i, .to_ms = to_ms, .limit = limit};
    snprintf(k.code, sizeof k.code, "%s", code);
    return k;
}

/* Rows newest first: starts newest, newest - step, … */
static void put(struct cache *c, struct cache_page_key k, int64_t newest, int64_t step,
                size_t count, uint64_t seq)
{
    struct candle rows[16] = {0};
    for (size_t r = 0; r < count; r++) {
        rows[r].start_ms = newest - (int64_t)r * step;
        rows[r].amount = ((decimal_units)1 << 100) + (decimal_units)r;
        rows[r].rev = 3;
    }
    cache_page_put(c, &k, rows, count, seq);
}

static bool holds(struct cache *c, struct cache_page_key k)
{
    const struct candle *rows;
    size_t count;
    uint64_t seq;
    return cache_page_get(c, &k, &rows, &count, &seq) == OK;
}

static void a_page_comes_back_as_it_was_put(void **state)
{
    struct cache *c = *state;
    struct cache_page_key k = key_of("KRW-BTC", INTERVAL_1M, 600000, 5);
    put(c, k, 540000, 60000, 5, 42);
    const struct candle *rows;
    size_t count;
    uint64_t seq;
    assert_int_equal(cache_page_get(c, &k, &rows, &count, &seq), OK);
    assert_int_equal(count, 5);
    assert_int_equal(seq, 42);
    for (size_t r = 0; r < count; r++) {
        assert_int_equal(rows[r].start_ms, 540000 - (int64_t)r * 60000);
        assert_true(rows[r].amount == ((decimal_units)1 << 100) + (decimal_units)r);
        assert_int_equal(rows[r].rev, 3);
    }
}

static void every_part_of_the_key_counts(void **state)
{
    struct cache *c = *state;
    put(c, key_of("KRW-BTC", INTERVAL_1M, 600000, 5), 540000, 60000, 5, 1);
    assert_true(holds(c, key_of("KRW-BTC", INTERVAL_1M, 600000, 5)));
    assert_false(holds(c, key_of("KRW-ETH", INTERVAL_1M, 600000, 5)));
    assert_false(holds(c, key_of("KRW-BTC", INTERVAL_3M, 600000, 5)));
    assert_false(holds(c, key_of("KRW-BTC", INTERVAL_1M, 600001, 5)));
    assert_false(holds(c, key_of("KRW-BTC", INTERVAL_1M, 600000, 6)));
}

static void a_second_put_replaces(void **state)
{
    struct cache *c = *state;
    struct cache_page_key k = key_of("KRW-BTC", INTERVAL_1M, 600000, 5);
    put(c, k, 540000, 60000, 5, 1);
    put(c, k, 540000, 60000, 2, 9);
    const struct candle *rows;
    size_t count;
    uint64_t seq;
    assert_int_equal(cache_page_get(c, &k, &rows, &count, &seq), OK);
    assert_int_equal(count, 2);
    assert_int_equal(seq, 9);
}

static void a_full_page_is_dropped_by_changes_from_its_oldest_row_to_its_bound(void **state)
{
    struct cache *c = *state;
    struct cache_page_key k = key_of("KRW-BTC", INTERVAL_1M, 600000, 3);
    static const struct {
        int64_t start_ms;
        bool dropped;
    } cases[] = {
        {359999, false}, {360000, true},  {420000, true}, /* its rows: 480, 420, 360 s */
        {540000, true}, /* behind the newest row, yet below the bound: it would be in */
        {599999, true},  {600000, false}, {INT64_MAX, false}, {0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(c, k, 480000, 60000, 3, 1);
        cache_page_drop(c, "KRW-BTC", INTERVAL_1M, cases[i].start_ms);
        assert_int_equal(holds(c, k), !cases[i].dropped);
    }
}

static void a_short_page_reaches_back_to_the_beginning(void **state)
{
    struct cache *c = *state;
    struct cache_page_key k = key_of("KRW-BTC", INTERVAL_1M, 600000, 4);
    put(c, k, 480000, 60000, 3, 1);
    cache_page_drop(c, "KRW-BTC", INTERVAL_1M, 0);
    assert_false(holds(c, k));
    put(c, k, 0, 0, 0, 1);
    assert_true(holds(c, k));
    cache_page_drop(c, "KRW-BTC", INTERVAL_1M, 600000);
    assert_true(holds(c, k));
    cache_page_drop(c, "KRW-BTC", INTERVAL_1M, 5);
    assert_false(holds(c, k));
}

static void a_page_without_bound_is_dropped_by_every_newer_candle(void **state)
{
    struct cache *c = *state;
    struct cache_page_key k = key_of("KRW-BTC", INTERVAL_1M, INT64_MAX, 3);
    put(c, k, 480000, 60000, 3, 1);
    cache_page_drop(c, "KRW-BTC", INTERVAL_1M, 660000);
    assert_false(holds(c, k));
}

static void a_change_drops_all_pages_that_hold_it_and_no_others(void **state)
{
    struct cache *c = *state;
    for (int64_t to = 3; to <= 10; to++) /* page `to` holds minutes to-3 … to-1 */
        put(c, key_of("KRW-BTC", INTERVAL_1M, to * 60000, 3), (to - 1) * 60000, 60000, 3, 1);
    put(c, key_of("KRW-ETH", INTERVAL_1M, 360000, 3), 300000, 60000, 3, 1);
    put(c, key_of("KRW-BTC", INTERVAL_3M, 540000, 3), 360000, 180000, 3, 1);
    cache_page_drop(c, "KRW-BTC", INTERVAL_1M, 5 * 60000);
    for (int64_t to = 3; to <= 10; to++)
        assert_int_equal(holds(c, key_of("KRW-BTC", INTERVAL_1M, to * 60000, 3)), to < 6 || to > 8);
    assert_true(holds(c, key_of("KRW-ETH", INTERVAL_1M, 360000, 3)));
    assert_true(holds(c, key_of("KRW-BTC", INTERVAL_3M, 540000, 3)));
    cache_page_drop(c, "KRW-XRP", INTERVAL_1M, 5 * 60000);
}

static void the_newest_ticker_of_each_market_is_kept(void **state)
{
    struct cache *c = *state;
    const char *json;
    size_t len;
    assert_int_equal(cache_ticker_get(c, "KRW-BTC", &json, &len), ERR_NOT_FOUND);
    cache_ticker_put(c, "KRW-BTC", "{\"trade_price\":100}", 19);
    cache_ticker_put(c, "KRW-ETH", "{}", 2);
    cache_ticker_put(c, "KRW-BTC", "{\"p\":2}", 7);
    assert_int_equal(cache_ticker_get(c, "KRW-BTC", &json, &len), OK);
    assert_int_equal(len, 7);
    assert_memory_equal(json, "{\"p\":2}", 7);
    assert_int_equal(cache_ticker_get(c, "KRW-ETH", &json, &len), OK);
    assert_int_equal(len, 2);
    put(c, key_of("KRW-XRP", INTERVAL_1M, 1, 1), 0, 0, 1, 1);
    assert_int_equal(cache_ticker_get(c, "KRW-XRP", &json, &len), ERR_NOT_FOUND);
}

static void many_markets_do_not_mix(void **state)
{
    struct cache *c = *state;
    char code[CODE_MAX];
    for (int i = 0; i < 2000; i++) {
        snprintf(code, sizeof code, "KRW-M%d", i);
        cache_ticker_put(c, code, code, strlen(code));
        put(c, key_of(code, INTERVAL_1D, i, 1), i - 1, 1, 1, (uint64_t)i);
    }
    for (int i = 0; i < 2000; i++) {
        const char *json;
        size_t len, count;
        const struct candle *rows;
        uint64_t seq;
        snprintf(code, sizeof code, "KRW-M%d", i);
        assert_int_equal(cache_ticker_get(c, code, &json, &len), OK);
        assert_memory_equal(json, code, len);
        struct cache_page_key k = key_of(code, INTERVAL_1D, i, 1);
        assert_int_equal(cache_page_get(c, &k, &rows, &count, &seq), OK);
        assert_int_equal(seq, i);
    }
}

#define ON_A_CACHE(test) cmocka_unit_test_setup_teardown(test, open_cache, close_cache)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ON_A_CACHE(a_page_comes_back_as_it_was_put),
        ON_A_CACHE(every_part_of_the_key_counts),
        ON_A_CACHE(a_second_put_replaces),
        ON_A_CACHE(a_full_page_is_dropped_by_changes_from_its_oldest_row_to_its_bound),
        ON_A_CACHE(a_short_page_reaches_back_to_the_beginning),
        ON_A_CACHE(a_page_without_bound_is_dropped_by_every_newer_candle),
        ON_A_CACHE(a_change_drops_all_pages_that_hold_it_and_no_others),
        ON_A_CACHE(the_newest_ticker_of_each_market_is_kept),
        ON_A_CACHE(many_markets_do_not_mix),
    };
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        url = argv[i];
        failed += cmocka_run_group_tests_name(url, tests, NULL, NULL);
    }
    return failed;
}
