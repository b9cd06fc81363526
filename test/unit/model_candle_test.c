/* SPDX-License-Identifier: Apache-2.0 */
/* The total order and the roll-up; the property that the ladder equals the direct fold. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model/candle.h"

static void candles_order_by_repair_volume_timestamp_then_the_rest(void **state)
{
    (void)state;
    struct candle a = {.start_ms = 1,
                       .open = 5,
                       .high = 9,
                       .low = 2,
                       .close = 3,
                       .volume = 7,
                       .amount = 11,
                       .timestamp_ms = 13,
                       .rev = 1};
    struct candle b = a;
    b.rev = 9, b.state = CANDLE_REPAIRED, b.source = SOURCE_REPLAY;
    assert_int_equal(candle_compare(&a, &b), 0); /* only data counts */
    struct candle greater[] = {a, a, a, a, a, a, a, a, a};
    greater[0].tombstone = true;
    greater[1].open++;
    greater[2].low++;
    greater[3].high++;
    greater[4].close++;
    greater[5].amount++;
    greater[6].timestamp_ms++;
    greater[7].volume++;
    greater[8].repair++;
    for (int i = 0; i < 9; i++) {
        assert_true(candle_compare(&greater[i], &a) > 0);
        assert_true(candle_compare(&a, &greater[i]) < 0);
        for (int later = i + 1; later < 9; later++) /* each rank outweighs all below it */
            assert_true(candle_compare(&greater[later], &greater[i]) > 0);
    }
}

static void a_roll_up_takes_first_last_extremes_and_sums(void **state)
{
    (void)state;
    struct candle children[] = {
        {.start_ms = 61000,
         .open = 10,
         .high = 12,
         .low = 9,
         .close = 11,
         .volume = 3,
         .amount = 33,
         .timestamp_ms = 61900,
         .rev = 1},
        {.start_ms = 62000,
         .open = 13,
         .high = 20,
         .low = 13,
         .close = 14,
         .volume = 4,
         .amount = 60,
         .timestamp_ms = 63050,
         .rev = 3},
        {.start_ms = 119000,
         .open = 8,
         .high = 8,
         .low = 5,
         .close = 6,
         .volume = 1,
         .amount = 6,
         .timestamp_ms = 62950,
         .rev = 2,
         .repair = 7,
         .state = CANDLE_REPAIRED},
    };
    struct candle p;
    candle_roll_first(&p, 60000, &children[0]);
    candle_roll_add(&p, &children[1]);
    candle_roll_add(&p, &children[2]);
    assert_true(p.start_ms == 60000 && p.open == 10 && p.high == 20 && p.low == 5 && p.close == 6);
    assert_true(p.volume == 8 && p.amount == 99 && p.timestamp_ms == 63050);
    assert_int_equal(p.rev, 4); /* 1 + 0 + 2 + 1 */
    assert_int_equal(p.repair, 0);
    assert_int_equal(p.state, CANDLE_FORMING);
}

static uint64_t random_state = 0x2545f4914f6cdd1du;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

enum { SECONDS = 3000, VERSIONS = 4000 };

static struct candle random_second(int64_t start_ms)
{
    struct candle c = {.start_ms = start_ms, .rev = 1 + (uint32_t)(next_random() % 3)};
    c.low = 1 + (int64_t)(next_random() % 100000000000);
    c.high = c.low + (int64_t)(next_random() % 1000);
    c.open = c.low + (int64_t)(next_random() % (uint64_t)(c.high - c.low + 1));
    c.close = c.low + (int64_t)(next_random() % (uint64_t)(c.high - c.low + 1));
    c.volume = (decimal_units)next_random() * (next_random() % 1000); /* beyond 64 bits */
    c.amount = (decimal_units)next_random() * (1 << 20) + 1;
    c.timestamp_ms = start_ms + (int64_t)(next_random() % 1100);
    return c;
}

static int by_start_then_order(const void *a, const void *b)
{
    const struct candle *x = a, *y = b;
    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    return candle_compare(x, y);
}

static size_t merged(struct candle *c, size_t count)
{
    size_t kept = 0;
    qsort(c, count, sizeof *c, by_start_then_order);
    for (size_t i = 1; i < count; i++) {
        kept += c[kept].start_ms != c[i].start_ms;
        c[kept] = c[i];
    }
    return kept + 1;
}

static size_t roll(enum interval i, const struct candle *children, size_t count, struct candle *out)
{
    size_t parents = 0;
    for (size_t c = 0; c < count; c++) {
        int64_t start = interval_start(i, children[c].start_ms);
        if (parents > 0 && out[parents - 1].start_ms == start)
            candle_roll_add(&out[parents - 1], &children[c]);
        else
            candle_roll_first(&out[parents++], start, &children[c]);
    }
    return parents;
}

/* Up the ladder of the table from seconds to i. */
static size_t climb(enum interval i, const struct candle *seconds, size_t count, struct candle *out)
{
    if (i == INTERVAL_1S) {
        memcpy(out, seconds, count * sizeof *out);
        return count;
    }
    static struct candle children[INTERVAL_COUNT][SECONDS];
    size_t n = climb(interval_table[i].child, seconds, count, children[i]);
    return roll(i, children[i], n, out);
}

static void shuffle(struct candle *c, size_t count)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = next_random() % (i + 1);
        struct candle swap = c[i];
        c[i] = c[other];
        c[other] = swap;
    }
}

/* Random seconds over five weeks in any order, with older versions and plain duplicates. */
static void the_ladder_equals_the_direct_fold(void **state)
{
    (void)state;
    static struct candle versions[VERSIONS], again[VERSIONS], ladder[SECONDS], direct[SECONDS];
    const int64_t base = 1769903760000; /* 2026-01-31T23:56:00Z: a month ends in it */
    for (int round = 0; round < 5; round++) {
        const int64_t span = round % 2 ? 35 * INT64_C(86400) : 7200;
        for (int i = 0; i < SECONDS; i++)
            versions[i] = random_second(base + (int64_t)(next_random() % (uint64_t)span) * 1000);
        for (int i = SECONDS; i < VERSIONS; i++) {
            versions[i] = versions[next_random() % SECONDS];
            if (i % 2)
                versions[i].volume /= 2; /* an older version of that second */
        }
        memcpy(again, versions, sizeof again);
        shuffle(again, VERSIONS);
        size_t count = merged(versions, VERSIONS);
        assert_int_equal(merged(again, VERSIONS), count);
        assert_true(count <= SECONDS);
        for (size_t i = 0; i < count; i++) /* the order of arrival changed nothing */
            assert_int_equal(by_start_then_order(&versions[i], &again[i]), 0);
        for (enum interval i = INTERVAL_1M; i < INTERVAL_COUNT; i++) {
            size_t n = climb(i, versions, count, ladder);
            assert_int_equal(roll(i, versions, count, direct), n);
            for (size_t p = 0; p < n; p++) {
                assert_int_equal(by_start_then_order(&ladder[p], &direct[p]), 0);
                assert_int_equal(ladder[p].rev, direct[p].rev);
            }
        }
    }
}

static void names_are_the_api_s(void **state)
{
    (void)state;
    assert_string_equal(source_name(SOURCE_IMPORTED), "imported");
    assert_string_equal(source_name(SOURCE_REPLAY), "replay");
    assert_string_equal(candle_state_name(CANDLE_PARTIAL), "partial");
    assert_string_equal(candle_state_name(CANDLE_FORMING), "forming");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candles_order_by_repair_volume_timestamp_then_the_rest),
        cmocka_unit_test(a_roll_up_takes_first_last_extremes_and_sums),
        cmocka_unit_test(the_ladder_equals_the_direct_fold),
        cmocka_unit_test(names_are_the_api_s),
    };
    return cmocka_run_group_tests_name("model_candle", tests, NULL, NULL);
}
