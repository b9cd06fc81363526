/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as a difference, what it means, and the bodies of POST /verify. */
#include <string.h>

#include "check.h"

#include "app/audit_compare.h"
#include "app/verify_body.h"

enum { MINUTE = 60000, DAY = 86400000 };

#define WON INT64_C(100000000)

static struct candle candle(int64_t start_ms)
{
    return (struct candle){.start_ms = start_ms,
                           .open = 5 * WON,
                           .high = 9 * WON,
                           .low = 2 * WON,
                           .close = 3 * WON,
                           .volume = 7,
                           .amount = 11,
                           .timestamp_ms = start_ms + 13,
                           .rev = 1,
                           .state = CANDLE_CLOSED};
}

static void each_traded_field_counts_to_the_last_digit_and_nothing_else(void **state)
{
    (void)state;
    struct candle a = candle(0), b = a;
    b.rev = 4, b.state = CANDLE_REPAIRED, b.repair = 2, b.timestamp_ms++;
    assert_true(audit_same(INTERVAL_1S, &a, &b));
    struct candle other[] = {a, a, a, a, a, a};
    other[0].open++;
    other[1].high++;
    other[2].low++;
    other[3].close++;
    other[4].volume++;
    other[5].amount++;
    for (int k = 0; k < 6; k++)
        assert_false(audit_same(INTERVAL_1S, &a, &other[k]));
    assert_false(audit_same(INTERVAL_1S, &a, NULL));
    assert_false(audit_same(INTERVAL_1S, NULL, &a));
    assert_true(audit_same(INTERVAL_1S, NULL, NULL));
}

/* A minute: sixty roundings here and one there, half a unit each. */
static void a_parents_amount_may_differ_by_what_rounding_makes(void **state)
{
    (void)state;
    struct candle a = candle(0), b = a;
    b.amount = a.amount + 30;
    assert_true(audit_same(INTERVAL_1M, &a, &b));
    assert_true(audit_same(INTERVAL_1M, &b, &a));
    b.amount++;
    assert_false(audit_same(INTERVAL_1M, &a, &b));
    assert_true(audit_same(INTERVAL_1D, &a, &b));
    b.volume++;
    assert_false(audit_same(INTERVAL_1D, &a, &b));
}

static void an_import_without_amounts_has_none_to_compare(void **state)
{
    (void)state;
    struct candle a = candle(0), b = a;
    a.amount = 0;
    assert_false(audit_same(INTERVAL_1M, &a, &(struct candle){.amount = 100}));
    b.amount = 100;
    assert_false(audit_same(INTERVAL_1M, &a, &b));
    a.source = SOURCE_IMPORTED;
    assert_true(audit_same(INTERVAL_1M, &a, &b));
}

struct seen {
    int64_t ours[8], theirs[8];
    int count;
};

static void see(void *ctx, int64_t start_ms, const struct candle *ours, const struct candle *theirs)
{
    struct seen *s = ctx;
    assert_int_equal(start_ms, ours ? ours->start_ms : theirs->start_ms);
    s->ours[s->count] = ours ? ours->start_ms : -1;
    s->theirs[s->count++] = theirs ? theirs->start_ms : -1;
}

static void windows_pair_by_their_start(void **state)
{
    (void)state;
    struct candle ours[] = {candle(5000), candle(4000), candle(1000)};
    struct candle theirs[] = {candle(6000), candle(4000), candle(2000), candle(1000)};
    struct seen s = {0};
    audit_pairs(ours, 3, theirs, 4, see, &s);
    static const int64_t want_ours[] = {-1, 5000, 4000, -1, 1000};
    static const int64_t want_theirs[] = {6000, -1, 4000, 2000, 1000};
    assert_int_equal(s.count, 5);
    assert_memory_equal(s.ours, want_ours, sizeof want_ours);
    assert_memory_equal(s.theirs, want_theirs, sizeof want_theirs);
    s.count = 0;
    audit_pairs(NULL, 0, theirs, 4, see, &s);
    assert_int_equal(s.count, 4);
    audit_pairs(ours, 3, NULL, 0, see, &s);
    assert_int_equal(s.count, 7);
}

static void children_agree_where_all_that_are_there_are_the_same(void **state)
{
    (void)state;
    struct candle ours[] = {candle(3000), candle(2000), candle(1000)};
    struct candle theirs[] = {candle(3000), candle(1000)};
    assert_false(audit_agree(INTERVAL_1S, 1000, ours, 3, theirs, 2));
    ours[1].tombstone = true;
    assert_true(audit_agree(INTERVAL_1S, 1000, ours, 3, theirs, 2));
    theirs[1].close++;
    assert_false(audit_agree(INTERVAL_1S, 1000, ours, 3, theirs, 2));
    assert_true(audit_agree(INTERVAL_1S, 2000, ours, 3, theirs, 2));
}

static void a_roll_up_is_the_sum_of_children_that_are_there(void **state)
{
    (void)state;
    struct candle children[] = {candle(3000), candle(2000), candle(1000)};
    children[0].close = 8 * WON;
    children[1].tombstone = true;
    children[1].high = 20 * WON;
    children[2].open = 6 * WON;
    struct candle sum = candle(0);
    sum.open = 6 * WON, sum.close = 8 * WON, sum.volume = 14, sum.amount = 22;
    assert_true(audit_is_sum(&sum, children, 3));
    sum.amount++;
    assert_false(audit_is_sum(&sum, children, 3));
    assert_false(audit_is_sum(NULL, children, 3));
    assert_true(audit_is_sum(NULL, &children[1], 1));
    assert_false(audit_is_sum(&sum, &children[1], 1));
    assert_true(audit_is_sum(NULL, NULL, 0));
}

static void a_difference_is_said_and_repaired_by_the_next_number(void **state)
{
    (void)state;
    struct audit_difference d = {.interval = INTERVAL_1S,
                                 .start_ms = 1000,
                                 .stored = true,
                                 .served = true,
                                 .repair = 4,
                                 .ours = candle(1000),
                                 .theirs = candle(1000)};
    d.theirs.high = 10 * WON, d.theirs.volume = 8;
    struct buf text = {0};
    audit_text(&text, &d);
    assert_string_equal(text.data,
                        "high_price stored 9.00000000, exchange 10.00000000; "
                        "candle_acc_trade_volume stored 0.00000007, exchange 0.00000008");
    struct candle c = audit_repair(&d);
    assert_int_equal(c.repair, 5);
    assert_true(!c.tombstone && audit_same(INTERVAL_1S, &c, &d.theirs));

    d.served = false;
    c = audit_repair(&d);
    assert_true(c.tombstone && c.repair == 5 && c.start_ms == 1000 && c.close > 0);
    buf_clear(&text);
    audit_text(&text, &d);
    assert_string_equal(text.data, "stored, exchange has none: trade_price 3.00000000, "
                                   "candle_acc_trade_volume 0.00000007");
    buf_free(&text);
}

static void a_question_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct audit_wish w = {
        .code = "KRW-BTC", .interval = INTERVAL_1MO, .from_ms = 1500, .to_ms = 9 * (int64_t)DAY};
    struct audit_wish got;
    struct buf body = {0}, why = {0};
    for (int k = 0; k < 4; k++) {
        w.repair = k & 1;
        w.to_ms = k & 2 ? INT64_MAX : w.to_ms;
        buf_clear(&body);
        verify_body_write(&body, &w);
        assert_int_equal(verify_body_read(body.data, body.len, &got, &why), OK);
        assert_string_equal(got.code, w.code);
        assert_true(got.interval == w.interval && got.from_ms == w.from_ms &&
                    got.to_ms == w.to_ms && got.repair == w.repair);
    }
    for (size_t len = 0; len < body.len; len++)
        assert_int_equal(verify_body_read(body.data, len, &got, &why), ERR_INVALID);
    buf_free(&body);
    buf_free(&why);
}

struct said {
    int count;
    struct verify_difference last;
};

static void hear(void *ctx, const struct verify_difference *d)
{
    struct said *s = ctx;
    s->count++;
    s->last = *d;
}

static void an_answer_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct audit_wish w = {.code = "KRW-BTC", .interval = INTERVAL_1M};
    struct audit_difference d[2] = {
        {.kind = AUDIT_WRONG, .interval = INTERVAL_1M, .served = true, .theirs = candle(MINUTE)},
        {.kind = AUDIT_EXCHANGE,
         .interval = INTERVAL_1M,
         .start_ms = MINUTE,
         .stored = true,
         .ours = candle(MINUTE),
         .repaired = true},
    };
    struct audit_result r = {.from_ms = MINUTE,
                             .to_ms = 3 * MINUTE,
                             .compared = 7,
                             .unknown = 5,
                             .repaired = 1,
                             .differences = d,
                             .count = 2};
    struct buf out = {0};
    struct verify_page page;
    struct said said = {0};
    verify_answer(&out, &w, &r);
    assert_int_equal(verify_answer_read(out.data, out.len, &page, hear, &said), OK);
    assert_true(page.from_ms == MINUTE && page.to_ms == 3 * MINUTE && page.compared == 7 &&
                page.unknown == 5 && page.repaired == 1);
    assert_int_equal(said.count, 2);
    assert_true(said.last.repaired && said.last.start_ms == MINUTE &&
                said.last.interval == INTERVAL_1M);
    assert_memory_equal(said.last.kind, "exchange", said.last.kind_len);
    for (size_t len = 0; len < out.len; len++)
        assert_int_equal(verify_answer_read(out.data, len, &page, hear, &said), ERR_INVALID);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_traded_field_counts_to_the_last_digit_and_nothing_else),
        cmocka_unit_test(a_parents_amount_may_differ_by_what_rounding_makes),
        cmocka_unit_test(an_import_without_amounts_has_none_to_compare),
        cmocka_unit_test(windows_pair_by_their_start),
        cmocka_unit_test(children_agree_where_all_that_are_there_are_the_same),
        cmocka_unit_test(a_roll_up_is_the_sum_of_children_that_are_there),
        cmocka_unit_test(a_difference_is_said_and_repaired_by_the_next_number),
        cmocka_unit_test(a_question_is_read_as_it_was_written),
        cmocka_unit_test(an_answer_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
