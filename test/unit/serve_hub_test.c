/* SPDX-License-Identifier: Apache-2.0 */
/* Hub and readers without sockets: order, conflation, the ring, resuming, sweeps. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve_fixture.h"

static void newest_state_in_order_of_change(void **state)
{
    struct serve_hub h;
    struct serve_reader r;
    struct buf out = {0};
    (void)state;
    fixture_hub_open(&h, 100, 1 << 20);
    serve_reader_init(&r, &h);
    fixture_follow(&r, "ticker:*", NULL);
    fixture_assert_takes(&r, "");
    fixture_ticker(&h, "KRW-A", 1);
    fixture_ticker(&h, "KRW-B", 1);
    fixture_ticker(&h, "KRW-A", 2);
    assert_int_equal(fixture_take(&r, 1000, &out), 1);
    assert_string_equal(out.data, "TB1 TA2 (e:0)");
    fixture_assert_takes(&r, "");
    buf_free(&out);
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

static void what_was_not_taken_comes_again_in_newest_state(void **state)
{
    struct serve_hub h;
    struct serve_reader r;
    struct buf out = {0};
    (void)state;
    fixture_hub_open(&h, 100, 1 << 20);
    serve_reader_init(&r, &h);
    fixture_follow(&r, "ticker:*", NULL);
    fixture_follow(&r, "postgres-candle.1s:*", NULL);
    fixture_assert_takes(&r, "");
    fixture_ticker(&h, "KRW-A", 1);
    fixture_event(&h, "KRW-A", INTERVAL_1S, 1);
    fixture_ticker(&h, "KRW-B", 1);
    fixture_event(&h, "KRW-B", INTERVAL_1S, 2);
    (void)fixture_take(&r, 2, &out);
    fixture_ticker(&h, "KRW-B", 2);
    (void)fixture_take(&r, 2, &out);
    assert_string_equal(out.data, "TA1 EA1 EB2 TB2");
    fixture_assert_takes(&r, ""); /* the event's own id covers all: no other is sent */
    buf_free(&out);
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

static void overlapping_subscriptions_send_once(void **state)
{
    struct serve_hub h;
    struct serve_reader r;
    (void)state;
    fixture_hub_open(&h, 100, 1 << 20);
    serve_reader_init(&r, &h);
    fixture_follow(&r, "candle.1s:*", NULL);
    fixture_follow(&r, "candle.*:KRW-A", NULL);
    fixture_follow(&r, "candle.1s:KRW-A", NULL);
    fixture_follow(&r, "ticker:KRW-A", NULL);
    fixture_follow(&r, "ticker:*", NULL);
    fixture_assert_takes(&r, "");
    fixture_event(&h, "KRW-A", INTERVAL_1S, 1);
    fixture_event(&h, "KRW-A", INTERVAL_1M, 2);
    fixture_event(&h, "KRW-B", INTERVAL_1M, 3);
    fixture_ticker(&h, "KRW-A", 1);
    fixture_assert_takes(&r, "EA1 EA2 TA1 (e:3)");
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

static void resuming_sends_what_was_missed(void **state)
{
    struct serve_hub h;
    struct serve_reader r;
    (void)state;
    fixture_hub_open(&h, 100, 1 << 20);
    for (uint64_t seq = 1; seq <= 6; seq++)
        fixture_event(&h, seq % 2 ? "KRW-A" : "KRW-B", INTERVAL_1S, seq * 10);
    fixture_ticker(&h, "KRW-A", 1);
    serve_reader_init(&r, &h);
    fixture_follow(&r, "ticker:*", &(struct serve_cursor){.lanes = 1, .seq = {25}, .half = false});
    fixture_follow(&r, "postgres-candle.1s:KRW-A",
                   &(struct serve_cursor){.lanes = 1, .seq = {25}, .half = false});
    fixture_assert_takes(&r, "EA30 EA50 TA1 (e:60)"); /* events first, then the snapshot */
    serve_reader_fini(&r);
    serve_reader_init(&r, &h);
    fixture_follow(&r, "candle.1s:*",
                   &(struct serve_cursor){.lanes = 1, .seq = {50}, .half = true});
    fixture_follow(&r, "postgres-candle.1s:*",
                   &(struct serve_cursor){.lanes = 1, .seq = {50}, .half = true});
    fixture_assert_takes(&r, "EA50 EB60 EB60");
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

/* A client that takes one frame while all keys change gets all of them in turn, the one that
 * changes most among them. */
static void no_key_starves(void **state)
{
    struct serve_hub h;
    struct serve_reader r;
    struct buf out = {0};
    char code[CODE_MAX];
    (void)state;
    fixture_hub_open(&h, 100, 1 << 20);
    for (int m = 0; m < 20; m++) {
        snprintf(code, sizeof code, "KRW-X%d", m);
        serve_hub_market(&h, code, "", "", true);
    }
    serve_reader_init(&r, &h);
    fixture_follow(&r, "ticker:*", NULL);
    fixture_assert_takes(&r, "");
    for (int step = 0; step < 60; step++) {
        for (int m = 0; m < 20; m++) {
            snprintf(code, sizeof code, "KRW-X%d", m);
            fixture_ticker(&h, code, step);
        }
        fixture_ticker(&h, "KRW-A", step);
        (void)fixture_take(&r, 1, &out);
    }
    size_t hot = 0;
    for (const char *at = out.data; (at = strstr(at, "TA")) != NULL; at++)
        hot++;
    assert_in_range(hot, 2, 4);
    assert_non_null(strstr(out.data, "TX19"));
    buf_free(&out);
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

/* The last state of a window must not come after its closing. */
static void closing_drops_the_forming_state(void **state)
{
    struct serve_hub h;
    struct serve_reader r;
    struct candle forming = {.start_ms = 1773240000000, .open = 1, .high = 1, .low = 1, .close = 1};
    struct buf json = {0};
    (void)state;
    fixture_hub_open(&h, 100, 1 << 20);
    serve_reader_init(&r, &h);
    fixture_follow(&r, "candle.1m:*", NULL);
    serve_hub_forming(&h, "KRW-A", INTERVAL_1M, &forming);
    serve_hub_forming(&h, "KRW-B", INTERVAL_1M, &forming);
    forming.start_ms += 60000;
    serve_hub_forming(&h, "KRW-B", INTERVAL_1M, &forming);
    forming.start_ms -= 60000;
    forming.state = CANDLE_CLOSED;
    candle_json(&json, "KRW-A", INTERVAL_1M, &forming);
    for (int m = 0; m < 2; m++) {
        struct serve_event e = {.seq = (uint64_t)m + 1,
                                .kind = SERVE_CANDLE,
                                .interval = INTERVAL_1M,
                                .json = json.data,
                                .len = json.len};
        snprintf(e.code, sizeof e.code, "KRW-%c", 'A' + m);
        serve_hub_event(&h, &e);
    }
    assert_null(serve_hub_find(&h, "KRW-A")->forming[INTERVAL_1M]->frame);
    assert_non_null(serve_hub_find(&h, "KRW-B")->forming[INTERVAL_1M]->frame);
    buf_free(&json);
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

/* An id must never go back: an event may be sent before its number is released. */
static void id_never_goes_back(void **state)
{
    struct serve_hub h;
    struct serve_reader r;
    struct serve_event e = {.seq = 5, .kind = SERVE_GAP, .code = "KRW-A", .json = "G", .len = 1};
    (void)state;
    fixture_hub_open(&h, 100, 1 << 20);
    serve_reader_init(&r, &h);
    fixture_follow(&r, "candle.1m:*", NULL);
    serve_hub_event(&h, &e);
    fixture_assert_takes(&r, "G");
    assert_int_equal(r.place, h.place);
    fixture_ticker(&h, "KRW-A", 1);
    fixture_follow(&r, "ticker:*", NULL);
    fixture_assert_takes(&r, "TA1");
    serve_hub_released(&h, 0, 6);
    fixture_ticker(&h, "KRW-A", 2);
    fixture_assert_takes(&r, "TA2 (e:6)");
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

static const char *cursor(const struct serve_hub *h, const char *text)
{
    struct serve_cursor at;
    return serve_hub_cursor(h, text, strlen(text), &at);
}

static void cursors(void **state)
{
    struct serve_hub h;
    (void)state;
    fixture_hub_open(&h, 3, 1 << 20);
    assert_null(cursor(&h, "e:0"));
    assert_string_equal(cursor(&h, "e:1"), "position ahead");
    for (uint64_t seq = 1; seq <= 5; seq++)
        fixture_event(&h, "KRW-A", INTERVAL_1S, seq);
    serve_hub_released(&h, 0, 9);
    assert_null(cursor(&h, "e:9"));
    assert_null(cursor(&h, "e:2"));
    assert_null(cursor(&h, "e:3.1"));
    assert_string_equal(cursor(&h, "e:2.1"), "position lost");
    assert_string_equal(cursor(&h, "e:1"), "position lost");
    assert_string_equal(cursor(&h, "e:10"), "position ahead");
    static const char *const bad[] = {"",     "e", "e:", "e:x",  "e:1 ",
                                      "e:-1", ":", ".1", "e:.1", "e:99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_string_equal(cursor(&h, bad[i]), "position unreadable");
    assert_string_equal(cursor(&h, "f:9"), "epoch unknown");
    assert_string_equal(cursor(&h, ":9"), "epoch unknown");
    serve_hub_fini(&h);
}

/* After a restart: the store gives back the events it kept, then the epoch's seq is the newest. */
static void ring_refilled_from_the_store(void **state)
{
    struct serve_hub h;
    (void)state;
    serve_hub_init(&h, 100, 1 << 20);
    h.source = &fixture_quiet;
    serve_hub_epoch(&h, "e");
    serve_hub_start(&h, 0, 50);
    assert_string_equal(cursor(&h, "e:49"), "position lost");
    serve_hub_market(&h, "KRW-A", "", "", true);
    fixture_event(&h, "KRW-A", INTERVAL_1S, 40);
    fixture_event(&h, "KRW-A", INTERVAL_1S, 48);
    struct serve_reader r;
    struct serve_cursor at = {.lanes = 1, .seq = {40}};
    serve_reader_init(&r, &h);
    fixture_follow(&r, "candle.1s:*", &at);
    static struct serve_batch b;
    serve_reader_collect(&r, 1 << 20, NULL, NULL, &b);
    assert_memory_equal(b.pieces[0].frame->bytes, "id: e:48.1\n", 11);
    serve_batch_clear(&b);
    serve_reader_fini(&r);
    assert_null(cursor(&h, "e:39"));
    assert_string_equal(cursor(&h, "e:38"), "position lost");
    assert_null(cursor(&h, "e:50"));
    serve_hub_fini(&h);
}

/* What was given out before the first event can be resumed when that comes, and later. */
static void positions_before_the_first_event(void **state)
{
    struct serve_hub h;
    (void)state;
    fixture_hub_open(&h, 3, 1 << 20);
    serve_hub_released(&h, 0, 30);
    assert_null(cursor(&h, "e:20"));
    fixture_event(&h, "KRW-A", INTERVAL_1S, 40);
    assert_null(cursor(&h, "e:20"));
    serve_hub_fini(&h);
    serve_hub_init(&h, 3, 1 << 20);
    serve_hub_epoch(&h, "e");
    serve_hub_start(&h, 0, 50);
    serve_hub_start(&h, 0, 0); /* the store has all */
    serve_hub_market(&h, "KRW-A", "", "", true);
    fixture_event(&h, "KRW-A", INTERVAL_1S, 40);
    assert_null(cursor(&h, "e:20"));
    assert_string_equal(cursor(&h, "e:51"), "position ahead");
    for (uint64_t seq = 60; seq <= 62; seq++)
        fixture_event(&h, "KRW-A", INTERVAL_1S, seq);
    assert_string_equal(cursor(&h, "e:20"), "position lost");
    serve_hub_fini(&h);
}

static void ring_is_bounded_by_bytes(void **state)
{
    struct serve_hub h;
    (void)state;
    fixture_hub_open(&h, 100000, 20000);
    for (uint64_t seq = 1; seq <= 1000; seq++)
        fixture_event(&h, "KRW-A", INTERVAL_1S, seq);
    assert_in_range(h.ring.count, 5, 100);
    assert_true(h.ring.bytes <= 20000);
    assert_int_equal(h.ring.floor.seq[0], 1000 - h.ring.count);
    serve_hub_fini(&h);
}

static void overtaken_only_when_an_own_event_was_lost(void **state)
{
    struct serve_hub h;
    struct serve_reader a, b;
    struct buf out = {0};
    (void)state;
    fixture_hub_open(&h, 3, 1 << 20);
    serve_reader_init(&a, &h);
    serve_reader_init(&b, &h);
    fixture_follow(&a, "candle.1s:KRW-A", NULL);
    fixture_follow(&b, "candle.1s:KRW-B", NULL);
    fixture_event(&h, "KRW-A", INTERVAL_1S, 1);
    for (uint64_t seq = 2; seq <= 4; seq++)
        fixture_event(&h, "KRW-A", INTERVAL_1M, seq);
    assert_true(serve_reader_overtaken(&a));
    assert_false(serve_reader_overtaken(&b));
    (void)fixture_take(&b, 10, &out);
    assert_int_equal(out.len, 0); /* nothing of its own: no bytes, not even an id */
    buf_free(&out);
    serve_reader_fini(&a);
    serve_reader_fini(&b);
    serve_hub_fini(&h);
}

static void snapshots_of_open_windows(void **state)
{
    static struct serve_batch b;
    struct serve_hub h;
    struct serve_reader r;
    (void)state;
    fixture_hub_open(&h, 10, 1 << 20);
    h.source = &fixture_busy;
    serve_reader_init(&r, &h);
    fixture_follow(&r, "candle.*:*", NULL);
    serve_reader_collect(&r, 1 << 20, NULL, NULL, &b);
    assert_int_equal(b.count, 5);         /* 2 markets of 2 windows, and the id */
    (void)serve_reader_commit(&r, &b, 1); /* cut within the first market: it comes again */
    serve_batch_clear(&b);
    serve_reader_collect(&r, 1 << 20, NULL, NULL, &b);
    assert_int_equal(b.count, 5);
    (void)serve_reader_commit(&r, &b, 2);
    serve_batch_clear(&b);
    serve_reader_collect(&r, 1 << 20, NULL, NULL, &b);
    assert_int_equal(b.count, 3);
    assert_non_null(memmem(b.pieces[0].frame->bytes, b.pieces[0].frame->len, "KRW-B", 5));
    (void)serve_reader_commit(&r, &b, 3);
    serve_batch_clear(&b);
    serve_reader_collect(&r, 1 << 20, NULL, NULL, &b);
    assert_int_equal(b.count, 0);
    serve_batch_clear(&b);
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

static void forming_is_newest_window_only(void **state)
{
    struct serve_hub h;
    struct serve_reader r;
    struct candle old = {.start_ms = 1773240000000, .open = 1, .high = 1, .low = 1, .close = 1};
    struct candle newer = old;
    (void)state;
    newer.start_ms += 60000;
    fixture_hub_open(&h, 10, 1 << 20);
    serve_hub_forming(&h, "KRW-A", INTERVAL_1M, &old);
    assert_null(serve_hub_find(&h, "KRW-A")->forming[INTERVAL_1M]->frame); /* nobody follows */
    serve_reader_init(&r, &h);
    fixture_follow(&r, "candle.*:KRW-A", NULL);
    serve_hub_forming(&h, "KRW-A", INTERVAL_1M, &newer);
    uint64_t change = h.change;
    serve_hub_forming(&h, "KRW-A", INTERVAL_1M, &old);
    assert_int_equal(h.change, change);
    const struct serve_frame *f = serve_hub_find(&h, "KRW-A")->forming[INTERVAL_1M]->frame;
    assert_int_equal(f->refs, 1);
    assert_non_null(memmem(f->bytes, f->len, "2026-03-11T14:41:00", 19));
    serve_reader_fini(&r);
    serve_hub_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_state_in_order_of_change),
        cmocka_unit_test(what_was_not_taken_comes_again_in_newest_state),
        cmocka_unit_test(overlapping_subscriptions_send_once),
        cmocka_unit_test(resuming_sends_what_was_missed),
        cmocka_unit_test(no_key_starves),
        cmocka_unit_test(closing_drops_the_forming_state),
        cmocka_unit_test(id_never_goes_back),
        cmocka_unit_test(cursors),
        cmocka_unit_test(ring_refilled_from_the_store),
        cmocka_unit_test(positions_before_the_first_event),
        cmocka_unit_test(ring_is_bounded_by_bytes),
        cmocka_unit_test(overtaken_only_when_an_own_event_was_lost),
        cmocka_unit_test(snapshots_of_open_windows),
        cmocka_unit_test(forming_is_newest_window_only),
    };
    return cmocka_run_group_tests_name("serve_hub", tests, NULL, NULL);
}
