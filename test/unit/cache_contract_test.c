/* SPDX-License-Identifier: Apache-2.0 */
/* What every cache must do. Arguments: the URLs to run it on; "redis:" is the server that the
 * environment names in STOFKA_TEST_REDIS, and skipped (77) without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "cache/cache.h"

static const char *url = "memory:";
static uv_loop_t loop;

/* Something is asked until it comes back: from then on the connection is there. */
static void await_connection(struct cache *c);

static int open_cache(void **state)
{
    static int number;
    struct cache *c = NULL;
    char name[64];
    snprintf(name, sizeof name, "test-%d-%d", (int)getpid(), ++number);
    struct cache_settings s = {.url = url, .bound_bytes = 64 << 20, .loop = &loop, .name = name};
    uv_loop_init(&loop);
    assert_int_equal(cache_open_with(&s, &c, NULL), OK);
    await_connection(c);
    *state = c;
    return 0;
}

static int close_cache(void **state)
{
    struct cache *c = *state;
    cache_free(&c);
    uv_run(&loop, UV_RUN_DEFAULT);
    return c != NULL || uv_loop_close(&loop) != 0;
}

/* --- answers, waited for ----------------------------------------------------------------- */

static struct {
    bool done;
    enum err e;
    struct candle rows[CACHE_SECONDS + 1];
    size_t count;
    uint64_t seq;
    char text[4096];
} answer;

static void on_rows(void *ctx, enum err e, const struct candle *rows, size_t count, uint64_t seq)
{
    (void)ctx;
    assert_false(answer.done);
    assert_true(count <= CACHE_SECONDS);
    answer.done = true;
    answer.e = e;
    answer.count = count;
    answer.seq = seq;
    if (count)
        memcpy(answer.rows, rows, count * sizeof *rows);
}

static void on_text(void *ctx, enum err e, const char *text, size_t len)
{
    (void)ctx;
    assert_false(answer.done);
    assert_true(len < sizeof answer.text);
    answer.done = true;
    answer.e = e;
    answer.count = len;
    if (len)
        memcpy(answer.text, text, len);
}

static enum err await(void)
{
    while (!answer.done)
        uv_run(&loop, UV_RUN_ONCE);
    answer.done = false;
    return answer.e;
}

static enum err page_of(struct cache *c, const struct cache_page_key *key,
                        const struct candle **rows, size_t *count, uint64_t *seq)
{
    cache_page_ask(c, key, on_rows, NULL);
    enum err e = await();
    *rows = answer.rows;
    *count = answer.count;
    *seq = answer.seq;
    return e;
}

static enum err ticker_of(struct cache *c, const char *code, const char **json, size_t *len)
{
    cache_ticker_ask(c, code, on_text, NULL);
    enum err e = await();
    *json = answer.text;
    *len = answer.count;
    return e;
}

static void await_connection(struct cache *c)
{
    const char *json;
    size_t len;
    do {
        cache_ticker_put(c, "PING", "{}", 2);
        uv_run(&loop, UV_RUN_NOWAIT);
    } while (ticker_of(c, "PING", &json, &len) != OK);
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
    return page_of(c, &k, &rows, &count, &seq) == OK;
}

static void a_page_comes_back_as_it_was_put(void **state)
{
    struct cache *c = *state;
    struct cache_page_key k = key_of("KRW-BTC", INTERVAL_1M, 600000, 5);
    put(c, k, 540000, 60000, 5, 42);
    const struct candle *rows;
    size_t count;
    uint64_t seq;
    assert_int_equal(page_of(c, &k, &rows, &count, &seq), OK);
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
    assert_int_equal(page_of(c, &k, &rows, &count, &seq), OK);
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
    assert_int_equal(ticker_of(c, "KRW-BTC", &json, &len), ERR_NOT_FOUND);
    cache_ticker_put(c, "KRW-BTC", "{\"trade_price\":100}", 19);
    cache_ticker_put(c, "KRW-ETH", "{}", 2);
    cache_ticker_put(c, "KRW-BTC", "{\"p\":2}", 7);
    assert_int_equal(ticker_of(c, "KRW-BTC", &json, &len), OK);
    assert_int_equal(len, 7);
    assert_memory_equal(json, "{\"p\":2}", 7);
    assert_int_equal(ticker_of(c, "KRW-ETH", &json, &len), OK);
    assert_int_equal(len, 2);
    put(c, key_of("KRW-XRP", INTERVAL_1M, 1, 1), 0, 0, 1, 1);
    assert_int_equal(ticker_of(c, "KRW-XRP", &json, &len), ERR_NOT_FOUND);
}

static void many_markets_do_not_mix(void **state)
{
    struct cache *c = *state;
    char code[CODE_MAX];
    for (int i = 0; i < 2000; i++) {
        snprintf(code, sizeof code, "KRW-M%d", i);
        cache_ticker_put(c, code, code, strlen(code));
        put(c, key_of(code, INTERVAL_1D, i, 1), i - 1, 1, 1, (uint64_t)i);
        if (i % 100 == 0) /* one does not ask without end and never hear */
            assert_true(holds(c, key_of(code, INTERVAL_1D, i, 1)));
    }
    for (int i = 0; i < 2000; i++) {
        const char *json;
        size_t len, count;
        const struct candle *rows;
        uint64_t seq;
        snprintf(code, sizeof code, "KRW-M%d", i);
        assert_int_equal(ticker_of(c, code, &json, &len), OK);
        assert_memory_equal(json, code, len);
        struct cache_page_key k = key_of(code, INTERVAL_1D, i, 1);
        assert_int_equal(page_of(c, &k, &rows, &count, &seq), OK);
        assert_int_equal(seq, i);
    }
}

static void a_page_read_before_a_change_of_its_series_is_refused(void **state)
{
    struct cache *c = *state;
    struct cache_page_key k = key_of("KRW-BTC", INTERVAL_1M, 600000, 3);
    uint64_t change = 0xfffffffffffff; /* a double could not tell it from its neighbours */
    put(c, k, 480000, 60000, 3, change - 1);
    cache_pages_drop(c,
                     &(struct cache_change){"KRW-BTC", INTERVAL_1M, 420000, 480000, change << 10});
    assert_false(holds(c, k));
    put(c, k, 480000, 60000, 3, (change << 10) - 1);
    assert_false(holds(c, k));
    put(c, k, 480000, 60000, 3, change << 10);
    assert_true(holds(c, k));
    cache_pages_drop(c, &(struct cache_change){"KRW-BTC", INTERVAL_1M, 0, 360000, 7});
    assert_true(holds(c, k));
}

static void the_newest_seconds_are_kept_each_once(void **state)
{
    struct cache *c = *state;
    cache_seconds_ask(c, "KRW-BTC", on_rows, NULL);
    assert_int_equal(await(), ERR_NOT_FOUND);
    for (int n = 0; n < CACHE_SECONDS + 50; n++) {
        int64_t second = n % 2 ? n - 1 : n + 1; /* out of order */
        struct candle row = {.start_ms = second * 1000, .volume = n, .rev = 1};
        cache_second_put(c, "KRW-BTC", &row);
    }
    struct candle again = {.start_ms = 100 * 1000, .volume = 77, .rev = 2};
    cache_second_put(c, "KRW-BTC", &again);
    cache_seconds_ask(c, "KRW-BTC", on_rows, NULL);
    assert_int_equal(await(), OK);
    assert_int_equal(answer.count, CACHE_SECONDS);
    for (int n = 0; n < CACHE_SECONDS; n++) {
        assert_int_equal(answer.rows[n].start_ms, (CACHE_SECONDS + 49 - n) * 1000);
        if (answer.rows[n].start_ms == again.start_ms)
            assert_int_equal(answer.rows[n].rev, 2);
    }
}

static void a_closed_one_lets_the_loop_end_and_answers_that_it_holds_nothing(void **state)
{
    struct cache *c = *state;
    struct cache_page_key k = key_of("KRW-BTC", INTERVAL_1M, 480000, 3);
    cache_page_ask(c, &k, on_rows, NULL);
    cache_close(c);
    assert_int_equal(await(), ERR_NOT_FOUND);
    uv_run(&loop, UV_RUN_DEFAULT);
    cache_page_ask(c, &k, on_rows, NULL);
    assert_int_equal(await(), ERR_NOT_FOUND);
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
        ON_A_CACHE(a_page_read_before_a_change_of_its_series_is_refused),
        ON_A_CACHE(the_newest_seconds_are_kept_each_once),
        ON_A_CACHE(a_closed_one_lets_the_loop_end_and_answers_that_it_holds_nothing),
    };
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        url = argv[i];
        if (strcmp(url, "redis:") == 0)
            url = getenv("STOFKA_TEST_REDIS");
        if (!url)
            return 77;
        failed += cmocka_run_group_tests_name(url, tests, NULL, NULL);
    }
    return failed;
}
