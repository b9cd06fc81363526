/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must keep and give back, kind by kind. Arguments: the schemes to run it on
 * ("sqlite:", "postgres:"). Skipped (77) where a scheme's server is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_fixture.h"

static const char *scheme = "sqlite:";
static struct found found;

static int set_up(void **state)
{
    static struct fixture f;
    fixture_make(&f, scheme);
    fixture_open(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_remove(*state);
    return 0;
}

static void put_rows(struct fixture *f, const struct store_row *rows, size_t count)
{
    apply(f, &(struct store_batch){.rows = rows, .row_count = count});
}

static void a_fresh_store_has_an_epoch_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct store_meta m;
    assert_int_equal(store_meta(f->reader, &m), OK);
    assert_int_equal(m.lane_count, 0);
    assert_int_equal(m.lanes[0].seq, 0);
    assert_int_equal(m.lanes[0].watermark_ms, 0);
    assert_int_equal(m.source, SOURCE_SIMULATED);
    assert_in_range(strlen(m.epoch), 8, STORE_EPOCH_MAX - 1);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 0);
}

static void candles_come_back_to_the_last_digit(void **state)
{
    struct fixture *f = *state;
    decimal_units most = 1;
    for (int i = 0; i < 35; i++)
        most *= 10;
    struct store_row rows[] = {
        row_of("KRW-BTC", INTERVAL_1S, 0, 0), row_of("KRW-BTC", INTERVAL_1S, 1000, 1),
        row_of("KRW-BTC", INTERVAL_1S, 253402300799000, 2), /* the year 9999's last second */
    };
    rows[0].candle.volume = 0;
    rows[0].candle.amount = 1;
    rows[1].candle.volume = most;
    rows[1].candle.amount = most * 9 + 99999999;
    rows[2].candle.high = INT64_MAX;
    rows[2].candle.repair = UINT32_MAX;
    rows[2].candle.rev = UINT32_MAX;
    rows[2].candle.source = SOURCE_IMPORTED;
    put_rows(f, rows, 3);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_same_candle(&found.rows[i], &rows[2 - i].candle);
}

/* The candle of that start; where parents are made of children, others may be beside it. */
static void assert_holds(struct fixture *f, const struct store_row *row)
{
    struct store_query q = {.interval = row->interval,
                            .from_ms = row->candle.start_ms,
                            .to_ms = row->candle.start_ms + 1,
                            .limit = 2,
                            .with_tombstones = true};
    memcpy(q.code, row->code, sizeof q.code);
    find(f->reader, &q, &found);
    assert_int_equal(found.count, 1);
    assert_same_candle(&found.rows[0], &row->candle);
    find_all(f->reader, row->code, row->interval, &found);
    assert_true(found.count == 1 || store_rolls_up(f->store));
}

static void series_do_not_mix(void **state)
{
    struct fixture *f = *state;
    struct store_row rows[2 * INTERVAL_COUNT];
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        /* Each in a month of its own. */
        int64_t start = interval_start((enum interval)i, (i + 1) * 40 * (int64_t)86400000);
        rows[2 * i] = row_of("KRW-BTC", (enum interval)i, start, i);
        rows[2 * i + 1] = row_of("KRW-ETH", (enum interval)i, start, 50 + i);
    }
    put_rows(f, rows, 2 * INTERVAL_COUNT);
    for (int i = 0; i < 2 * INTERVAL_COUNT; i++)
        assert_holds(f, &rows[i]);
}

static void ask(struct fixture *f, struct store_query q, int64_t first, int64_t last, size_t count)
{
    snprintf(q.code, sizeof q.code, "KRW-BTC");
    q.interval = INTERVAL_1S;
    find(f->reader, &q, &found);
    assert_int_equal(found.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(found.rows[i].start_ms,
                         first + (int64_t)i * (q.newest_first ? -1000 : 1000));
    if (count > 0)
        assert_int_equal(found.rows[count - 1].start_ms, last);
}

static void a_range_is_half_open_ordered_and_limited(void **state)
{
    struct fixture *f = *state;
    struct store_row rows[100];
    for (int i = 0; i < 100; i++)
        rows[(i * 37) % 100] = row_of("KRW-BTC", INTERVAL_1S, i * 1000, i);
    put_rows(f, rows, 100);
    const int64_t low = INT64_MIN, high = INT64_MAX;
    ask(f, (struct store_query){.from_ms = low, .to_ms = high, .limit = 1000, .newest_first = true},
        99000, 0, 100);
    ask(f, (struct store_query){.from_ms = low, .to_ms = high, .limit = 10, .newest_first = true},
        99000, 90000, 10);
    ask(f, (struct store_query){.from_ms = low, .to_ms = high, .limit = 10}, 0, 9000, 10);
    ask(f, (struct store_query){.from_ms = 5000, .to_ms = 8000, .limit = 10}, 5000, 7000, 3);
    ask(f, (struct store_query){.from_ms = 4001, .to_ms = 8001, .limit = 10, .newest_first = true},
        8000, 5000, 4);
    ask(f, (struct store_query){.from_ms = low, .to_ms = high, .limit = 0}, 0, 0, 0);
    ask(f, (struct store_query){.from_ms = 8000, .to_ms = 8000, .limit = 10}, 0, 0, 0);
}

static void a_row_replaces_the_one_of_its_key(void **state)
{
    struct fixture *f = *state;
    struct store_row rows[] = {row_of("KRW-BTC", INTERVAL_1M, 60000, 1),
                               row_of("KRW-BTC", INTERVAL_1M, 60000, 2)};
    put_rows(f, &rows[0], 1);
    put_rows(f, &rows[1], 1);
    find_all(f->reader, "KRW-BTC", INTERVAL_1M, &found);
    assert_int_equal(found.count, 1);
    assert_same_candle(&found.rows[0], &rows[1].candle);
    put_rows(f, rows, 2); /* within one batch the later one stays */
    find_all(f->reader, "KRW-BTC", INTERVAL_1M, &found);
    assert_same_candle(&found.rows[0], &rows[1].candle);
}

static void a_tombstone_hides_the_candle_and_is_kept(void **state)
{
    struct fixture *f = *state;
    struct store_row rows[] = {row_of("KRW-BTC", INTERVAL_1S, 1000, 1),
                               row_of("KRW-BTC", INTERVAL_1S, 2000, 2),
                               row_of("KRW-BTC", INTERVAL_1S, 1000, 3)};
    rows[2].candle.tombstone = true;
    put_rows(f, rows, 3);
    ask(f, (struct store_query){.from_ms = 0, .to_ms = INT64_MAX, .limit = 10}, 2000, 2000, 1);
    ask(f,
        (struct store_query){
            .from_ms = 0, .to_ms = INT64_MAX, .limit = 10, .with_tombstones = true},
        1000, 2000, 2);
    assert_true(found.rows[0].tombstone);
    assert_int_equal(found.rows[0].repair, 3);
}

static void gather_coverage(void *ctx, const struct store_coverage *c)
{
    buf_printf(ctx, "%s/%s%s", c->code, interval_name(c->level), c->lost ? "/lost" : "");
    for (size_t i = 0; i < c->count; i++)
        buf_printf(ctx, " %lld-%lld", (long long)c->spans[i].from_ms, (long long)c->spans[i].to_ms);
    buf_str(ctx, ";");
}

static void assert_coverage(struct fixture *f, const char *expected)
{
    struct buf text = {0};
    buf_str(&text, "");
    assert_int_equal(store_read_coverage(f->reader, gather_coverage, &text), OK);
    assert_string_equal(text.data ? text.data : "", expected);
    buf_free(&text);
}

static void put_coverage(struct fixture *f, const char *code, enum interval level, bool lost,
                         const struct store_span *spans, size_t count)
{
    struct store_coverage c = {.level = level, .lost = lost, .spans = spans, .count = count};
    snprintf(c.code, sizeof c.code, "%s", code);
    apply(f, &(struct store_batch){.coverage = &c, .coverage_count = 1});
}

static void coverage_of_one_market_level_and_kind_is_replaced_as_a_whole(void **state)
{
    struct fixture *f = *state;
    static const struct store_span a[] = {{1, 5}, {7, 9}, {20, 30}};
    static const struct store_span b[] = {{1, 5}, {7, 40}};
    put_coverage(f, "KRW-BTC", INTERVAL_1S, false, a, 3);
    put_coverage(f, "KRW-BTC", INTERVAL_1S, true, &b[1], 1);
    put_coverage(f, "KRW-BTC", INTERVAL_1M, false, b, 2);
    put_coverage(f, "KRW-ETH", INTERVAL_1S, false, b, 1);
    assert_coverage(f, "KRW-BTC/1s 1-5 7-9 20-30;KRW-BTC/1s/lost 7-40;KRW-BTC/1m 1-5 7-40;"
                       "KRW-ETH/1s 1-5;");
    put_coverage(f, "KRW-BTC", INTERVAL_1S, false, b, 2);
    put_coverage(f, "KRW-BTC", INTERVAL_1M, false, NULL, 0);
    put_coverage(f, "KRW-ETH", INTERVAL_1S, false, a, 3);
    assert_coverage(f, "KRW-BTC/1s 1-5 7-40;KRW-BTC/1s/lost 7-40;KRW-ETH/1s 1-5 7-9 20-30;");
}

static void whatever_coverage_was_the_last_one_given_is_kept(void **state)
{
    struct fixture *f = *state;
    uint32_t random = 4711;
    for (int round = 0; round < 300; round++) {
        struct store_span spans[12];
        struct buf expected = {0};
        size_t count = 0;
        int64_t at = 0;
        buf_str(&expected, "KRW-BTC/1s");
        for (size_t i = 0; i < 12; i++) {
            random = random * 1664525 + 1013904223;
            if (random >> 29 == 0) /* now and then one is missing, or the tail */
                continue;
            at += 1 + (random >> 20) % 3;
            spans[count].from_ms = at;
            at += 1 + (random >> 24) % 3;
            spans[count].to_ms = at;
            buf_printf(&expected, " %lld-%lld", (long long)spans[count].from_ms,
                       (long long)spans[count].to_ms);
            count++;
        }
        buf_str(&expected, ";");
        put_coverage(f, "KRW-BTC", INTERVAL_1S, false, spans, count);
        assert_coverage(f, expected.data);
        buf_free(&expected);
    }
}

static void gather_gap(void *ctx, const struct store_gap *g)
{
    buf_printf(ctx, "%s %lld-%lld %s %d;", g->code, (long long)g->from_ms, (long long)g->to_ms,
               g->reason, (int)g->state);
}

static void assert_gaps(struct fixture *f, const char *code, bool open_only, size_t limit,
                        const char *expected)
{
    struct buf text = {0};
    assert_int_equal(store_read_gaps(f->reader, code, open_only, limit, gather_gap, &text), OK);
    assert_string_equal(text.data ? text.data : "", expected);
    buf_free(&text);
}

static void the_gap_ledger_is_read_newest_first_by_market_and_by_state(void **state)
{
    struct fixture *f = *state;
    struct store_gap gaps[] = {
        {"KRW-BTC", 1000, 2000, "disconnected", STORE_GAP_OPEN},
        {"KRW-ETH", 1500, 0, "stalled", STORE_GAP_OPEN},
        {"KRW-BTC", 5000, 6000, "restart", STORE_GAP_LOST},
        {"KRW-BTC", 1000, 2500, "disconnected", STORE_GAP_HEALED}, /* the first again */
    };
    apply(f, &(struct store_batch){.gaps = gaps, .gap_count = 4});
    assert_gaps(f, "", false, 10,
                "KRW-BTC 5000-6000 restart 2;KRW-ETH 1500-0 stalled 0;"
                "KRW-BTC 1000-2500 disconnected 1;");
    assert_gaps(f, "", false, 2, "KRW-BTC 5000-6000 restart 2;KRW-ETH 1500-0 stalled 0;");
    assert_gaps(f, "", true, 10, "KRW-ETH 1500-0 stalled 0;");
    assert_gaps(f, "KRW-BTC", false, 10,
                "KRW-BTC 5000-6000 restart 2;KRW-BTC 1000-2500 disconnected 1;");
    assert_gaps(f, "KRW-BTC", true, 10, "");
    assert_gaps(f, "KRW-ETH", true, 10, "KRW-ETH 1500-0 stalled 0;");
    assert_gaps(f, "KRW-XRP", false, 10, "");
}

static void gather_event(void *ctx, const struct store_event *e)
{
    buf_printf(ctx, "%llu:%zu:", (unsigned long long)e->seq, e->len);
    buf_add(ctx, e->body, e->len);
    buf_char(ctx, ';');
}

static void assert_events(struct fixture *f, uint64_t after, const char *expected, size_t len)
{
    struct buf text = {0};
    assert_int_equal(store_read_events(f->reader, 0, after, gather_event, &text), OK);
    assert_int_equal(text.len, len);
    if (len > 0)
        assert_memory_equal(text.data, expected, len);
    buf_free(&text);
}

static void events_are_read_after_a_number_in_order_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    struct store_event events[] = {{0, 7, "a\0b", 3}, {0, 8, NULL, 0}, {0, 10, "xyz", 3}};
    struct store_lane lane = {.next = 1, .seq = 10};
    apply(f, &(struct store_batch){
                 .events = events, .event_count = 3, .lanes = &lane, .lane_count = 1});
    assert_events(f, 0, "7:3:a\0b;8:0:;10:3:xyz;", 22);
    assert_events(f, 7, "8:0:;10:3:xyz;", 14);
    assert_events(f, 10, "", 0);
}

static void count_event(void *ctx, const struct store_event *e)
{
    uint64_t *range = ctx; /* count, first, last */
    if (range[0]++ == 0)
        range[1] = e->seq;
    range[2] = e->seq;
}

static void put_events(struct fixture *f, uint64_t first, uint64_t last)
{
    struct store_event events[300];
    size_t count = 0;
    for (uint64_t seq = first; seq <= last; seq++)
        events[count++] = (struct store_event){0, seq, "{}", 2};
    struct store_lane lane = {.from = (int64_t)first - 1, .next = (int64_t)last, .seq = last};
    apply(f, &(struct store_batch){
                 .events = events, .event_count = count, .lanes = &lane, .lane_count = 1});
}

static void assert_kept(struct fixture *f, uint64_t first, uint64_t last)
{
    uint64_t range[3] = {0};
    assert_int_equal(store_read_events(f->reader, 0, 0, count_event, range), OK);
    assert_int_equal(range[1], first);
    assert_int_equal(range[2], last);
    assert_int_equal(range[0], last - first + 1);
}

static void only_the_newest_events_are_kept(void **state)
{
    struct fixture *f = *state; /* keep_events 100 */
    put_events(f, 1, 60);
    put_events(f, 61, 100);
    assert_kept(f, 1, 100);
    put_events(f, 101, 130);
    assert_kept(f, 31, 130);
    put_events(f, 101, 130); /* replayed: not counted twice */
    assert_kept(f, 31, 130);
    put_events(f, 131, 400);
    assert_kept(f, 301, 400);
    fixture_close(f);
    fixture_open(f);
    put_events(f, 401, 410);
    assert_kept(f, 311, 410);
}

static void gather_market(void *ctx, const struct store_market *m)
{
    buf_printf(ctx, "%s|%s|%s|%d|%lld;", m->code, m->korean_name, m->english_name, m->listed,
               (long long)m->beginning_ms);
}

static void assert_markets(struct fixture *f, const char *expected)
{
    struct buf text = {0};
    assert_int_equal(store_read_markets(f->reader, gather_market, &text), OK);
    assert_string_equal(text.data ? text.data : "", expected);
    buf_free(&text);
}

static void markets_are_replaced_by_code_and_keep_their_beginning(void **state)
{
    struct fixture *f = *state;
    struct store_row row = row_of("KRW-XRP", INTERVAL_1S, 1000, 1);
    struct store_market markets[] = {{"KRW-BTC", "비트코인", "Bitcoin", true, 1506297600000},
                                     {"KRW-ADA", "에이다", "Ada", true, 0}};
    apply(f, &(struct store_batch){
                 .rows = &row, .row_count = 1, .markets = markets, .market_count = 2});
    assert_markets(f, "KRW-ADA|에이다|Ada|1|0;KRW-BTC|비트코인|Bitcoin|1|1506297600000;"
                      "KRW-XRP|||0|0;");
    struct store_market again[] = {{"KRW-BTC", "비트", "Bit", false, 0},
                                   {"KRW-XRP", "리플", "Ripple", true, 5}};
    apply(f, &(struct store_batch){.markets = again, .market_count = 2});
    assert_markets(f, "KRW-ADA|에이다|Ada|1|0;KRW-BTC|비트|Bit|0|1506297600000;"
                      "KRW-XRP|리플|Ripple|1|5;");
    find_all(f->reader, "KRW-XRP", INTERVAL_1S, &found);
    assert_int_equal(found.count, 1);
}

static void position_watermark_and_epoch_survive(void **state)
{
    struct fixture *f = *state;
    struct store_meta fresh, m;
    assert_int_equal(store_meta(f->reader, &fresh), OK);
    struct store_lane lane = {.next = 10, .seq = 77, .watermark_ms = 1700000000123};
    apply(f, &(struct store_batch){.lanes = &lane, .lane_count = 1});
    apply(f, &(struct store_batch){0}); /* changes nothing */
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(store_meta(f->reader, &m), OK);
    assert_string_equal(m.epoch, fresh.epoch);
    assert_int_equal(m.lane_count, 1);
    assert_int_equal(m.lanes[0].next, 10);
    assert_int_equal(m.lanes[0].seq, 77);
    assert_int_equal(m.lanes[0].watermark_ms, 1700000000123);
    lane = (struct store_lane){.from = 10, .next = 40};
    apply(f, &(struct store_batch){.lanes = &lane, .lane_count = 1});
    assert_int_equal(store_meta(f->reader, &m), OK);
    assert_int_equal(m.lane_count, 1);
    assert_int_equal(m.lanes[0].next, 40);
    assert_int_equal(m.lanes[0].seq, 77);
}

static void replaying_a_batch_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_row rows[] = {row_of("KRW-BTC", INTERVAL_1S, 1000, 1),
                               row_of("KRW-ETH", INTERVAL_1M, 60000, 2)};
    static const struct store_span spans[] = {{0, 5}, {7, 9}};
    struct store_coverage coverage = {"KRW-BTC", INTERVAL_1S, false, spans, 2};
    struct store_gap gap = {"KRW-BTC", 5, 7, "stalled", STORE_GAP_OPEN};
    struct store_event events[] = {{0, 1, "one", 3}, {0, 2, "two", 3}};
    struct store_market market = {"KRW-BTC", "비트코인", "Bitcoin", true, 9};
    struct store_lane lane = {.next = 100, .seq = 2, .watermark_ms = 123456};
    struct store_batch b = {.rows = rows,
                            .row_count = 2,
                            .coverage = &coverage,
                            .coverage_count = 1,
                            .gaps = &gap,
                            .gap_count = 1,
                            .events = events,
                            .event_count = 2,
                            .markets = &market,
                            .market_count = 1,
                            .lanes = &lane,
                            .lane_count = 1};
    struct buf once = {0}, twice = {0};
    apply(f, &b);
    dump(f->reader, &once);
    apply(f, &b);
    dump(f->reader, &twice);
    assert_true(once.len > 300);
    assert_string_equal(once.data, twice.data);
    buf_free(&once);
    buf_free(&twice);
}

#define ON_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ON_A_STORE(a_fresh_store_has_an_epoch_and_nothing_else),
        ON_A_STORE(candles_come_back_to_the_last_digit),
        ON_A_STORE(series_do_not_mix),
        ON_A_STORE(a_range_is_half_open_ordered_and_limited),
        ON_A_STORE(a_row_replaces_the_one_of_its_key),
        ON_A_STORE(a_tombstone_hides_the_candle_and_is_kept),
        ON_A_STORE(coverage_of_one_market_level_and_kind_is_replaced_as_a_whole),
        ON_A_STORE(whatever_coverage_was_the_last_one_given_is_kept),
        ON_A_STORE(the_gap_ledger_is_read_newest_first_by_market_and_by_state),
        ON_A_STORE(events_are_read_after_a_number_in_order_byte_for_byte),
        ON_A_STORE(only_the_newest_events_are_kept),
        ON_A_STORE(markets_are_replaced_by_code_and_keep_their_beginning),
        ON_A_STORE(position_watermark_and_epoch_survive),
        ON_A_STORE(replaying_a_batch_changes_nothing),
    };
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        scheme = argv[i];
        if (!fixture_has(scheme))
            return 77;
        failed += cmocka_run_group_tests_name(scheme, tests, NULL, NULL);
    }
    return failed;
}
