/* SPDX-License-Identifier: Apache-2.0 */
/* What only the cache in memory promises: its bounds and what it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cache/cache.h"
#include "metric_of.h"

static struct cache *open_cache(int64_t bound)
{
    struct cache *c = NULL;
    assert_int_equal(cache_open("memory:", bound, &c, NULL), OK);
    return c;
}

static struct cache_page_key key_of(const char *code, int64_t to_ms)
{
    struct cache_page_key k = {.interval = INTERVAL_1M, .to_ms = to_ms, .limit = 200};
    snprintf(k.code, sizeof k.code, "%s", code);
    return k;
}

static void put(struct cache *c, const char *code, int64_t to_ms, size_t count)
{
    static struct candle rows[200];
    struct cache_page_key k = key_of(code, to_ms);
    cache_page_put(c, &k, rows, count, 1);
}

static bool holds(struct cache *c, const char *code, int64_t to_ms)
{
    struct cache_page_key k = key_of(code, to_ms);
    const struct candle *rows;
    size_t count;
    uint64_t seq;
    return cache_page_get(c, &k, &rows, &count, &seq) == OK;
}

static void the_least_recently_used_page_makes_room(void **state)
{
    (void)state;
    int64_t page = 200 * (int64_t)sizeof(struct candle);
    struct cache *c = open_cache(4 * page); /* room for three and what they cost beside rows */
    put(c, "KRW-A", 1, 200);
    put(c, "KRW-A", 2, 200);
    put(c, "KRW-A", 3, 200);
    assert_true(holds(c, "KRW-A", 1));
    put(c, "KRW-A", 4, 200);
    assert_true(holds(c, "KRW-A", 1));
    assert_false(holds(c, "KRW-A", 2));
    assert_true(holds(c, "KRW-A", 3));
    assert_true(holds(c, "KRW-A", 4));
    cache_free(&c);
}

static void memory_stays_under_the_bound_whatever_is_put(void **state)
{
    (void)state;
    const int64_t bound = 1 << 20;
    struct cache *c = open_cache(bound);
    uint32_t random = 12345;
    char code[CODE_MAX];
    for (int i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        snprintf(code, sizeof code, "KRW-%u", (random >> 8) % 50);
        put(c, code, (random >> 16) % 100, (random >> 4) % 201);
        assert_in_range(metric_of("stofka_cache_bytes"), 0, bound);
        i += 39 * (i > 200); /* looking is slow */
    }
    assert_true(metric_of("stofka_cache_bytes") > bound / 2);
    cache_free(&c);
    assert_int_equal(metric_of("stofka_cache_bytes"), 0);
}

static void a_page_above_the_bound_is_not_kept_and_moves_none(void **state)
{
    (void)state;
    struct cache *c = open_cache(20000);
    put(c, "KRW-A", 1, 10);
    put(c, "KRW-A", 2, 300);
    assert_true(holds(c, "KRW-A", 1));
    assert_false(holds(c, "KRW-A", 2));
    cache_free(&c);
}

static void a_walk_through_one_series_leaves_the_others_alone(void **state)
{
    (void)state;
    struct cache *c = open_cache(64 << 20);
    put(c, "KRW-A", 1, 5);
    for (int64_t to = 0; to < 10 * CACHE_SERIES_PAGES; to++)
        put(c, "KRW-B", to, 5);
    assert_true(holds(c, "KRW-A", 1));
    int held = 0;
    for (int64_t to = 0; to < 10 * CACHE_SERIES_PAGES; to++)
        held += holds(c, "KRW-B", to);
    assert_int_equal(held, CACHE_SERIES_PAGES);
    cache_free(&c);
}

static void tickers_outlive_pages(void **state)
{
    (void)state;
    struct cache *c = open_cache(40000);
    cache_ticker_put(c, "KRW-A", "{}", 2);
    for (int64_t to = 0; to < 100; to++)
        put(c, "KRW-A", to, 50);
    const char *json;
    size_t len;
    assert_int_equal(cache_ticker_get(c, "KRW-A", &json, &len), OK);
    cache_free(&c);
}

static void it_counts_hits_misses_evictions_and_drops(void **state)
{
    (void)state;
    static const char *const series[] = {"stofka_cache_hits_total{what=\"page\"}",
                                         "stofka_cache_misses_total{what=\"page\"}",
                                         "stofka_cache_hits_total{what=\"ticker\"}",
                                         "stofka_cache_misses_total{what=\"ticker\"}",
                                         "stofka_cache_evictions_total",
                                         "stofka_cache_drops_total"};
    int64_t before[6];
    for (int i = 0; i < 6; i++)
        before[i] = metric_of(series[i]);

    struct cache *c = open_cache(64 << 20);
    for (int64_t to = 1; to <= CACHE_SERIES_PAGES + 2; to++)
        put(c, "KRW-A", to * 60000, 1); /* two evicted */
    assert_true(holds(c, "KRW-A", 60000 * 100));
    assert_false(holds(c, "KRW-A", 60000));
    assert_false(holds(c, "KRW-A", 120000));
    cache_page_drop(c, "KRW-A", INTERVAL_1M, CACHE_SERIES_PAGES * 60000);
    cache_ticker_put(c, "KRW-A", "{}", 2);
    const char *json;
    size_t len;
    assert_int_equal(cache_ticker_get(c, "KRW-A", &json, &len), OK);
    assert_int_equal(cache_ticker_get(c, "KRW-B", &json, &len), ERR_NOT_FOUND);

    static const int64_t moved[6] = {1, 2, 1, 1, 2, 2};
    for (int i = 0; i < 6; i++)
        assert_int_equal(metric_of(series[i]) - before[i], moved[i]);
    cache_free(&c);
}

static void wrong_settings_are_told(void **state)
{
    (void)state;
    struct buf error = {0};
    struct cache *c = NULL;
    assert_int_equal(cache_open("memcached:", 1, &c, &error), ERR_CONFIG);
    assert_non_null(strstr(error.data, "memory:"));
    buf_clear(&error);
    assert_int_equal(cache_open("memory:", 0, &c, &error), ERR_CONFIG);
    assert_non_null(strstr(error.data, "bound"));
    assert_null(c);
    buf_free(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_recently_used_page_makes_room),
        cmocka_unit_test(memory_stays_under_the_bound_whatever_is_put),
        cmocka_unit_test(a_page_above_the_bound_is_not_kept_and_moves_none),
        cmocka_unit_test(a_walk_through_one_series_leaves_the_others_alone),
        cmocka_unit_test(tickers_outlive_pages),
        cmocka_unit_test(it_counts_hits_misses_evictions_and_drops),
        cmocka_unit_test(wrong_settings_are_told),
    };
    cache_metrics_register();
    return cmocka_run_group_tests_name("cache_memory", tests, NULL, NULL);
}
