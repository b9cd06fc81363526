/* SPDX-License-Identifier: Apache-2.0 */
/* A page of candles written once: given again while its rows are the same, never after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve/encoded.h"

enum { ROWS = 200 };

static struct candle rows[1000];

static void fill_rows(void)
{
    for (int k = 0; k < 1000; k++)
        rows[k] = (struct candle){.start_ms = 1773240000000 - k * 60000,
                                  .open = 100000000 + k,
                                  .high = 200000000,
                                  .low = 100000000,
                                  .close = 150000000,
                                  .rev = 1};
}

static void assert_page(struct serve_encoded *e, const char *code, enum interval i, size_t count,
                        struct serve_frame **out)
{
    struct buf want = {0};
    char etag[SERVE_ETAG_MAX];
    buf_char(&want, '[');
    for (size_t k = 0; k < count; k++) {
        if (k)
            buf_char(&want, ',');
        candle_json(&want, code, i, &rows[k]);
    }
    buf_char(&want, ']');
    *out = serve_encoded_page(e, code, i, rows, count, etag);
    assert_int_equal((*out)->len, want.len);
    assert_memory_equal((*out)->bytes, want.data, want.len);
    buf_free(&want);
}

static void test_the_same_rows_are_written_once(void **state)
{
    struct serve_encoded e = {0};
    struct serve_frame *first, *again;
    (void)state;
    fill_rows();
    assert_page(&e, "KRW-A", INTERVAL_1M, ROWS, &first);
    assert_page(&e, "KRW-A", INTERVAL_1M, ROWS, &again);
    assert_ptr_equal(first, again);
    serve_frame_unref(&first);
    serve_frame_unref(&again);
    serve_encoded_fini(&e);
}

/* Whatever differs, and whoever shares the slot. */
static void test_other_rows_are_written_anew(void **state)
{
    static const struct {
        const char *code;
        enum interval interval;
        size_t count;
    } others[] = {{"KRW-B", INTERVAL_1M, ROWS},
                  {"KRW-A", INTERVAL_3M, ROWS},
                  {"KRW-A", INTERVAL_1M, 1},
                  {"KRW-A", INTERVAL_1M, 0}};
    struct serve_encoded e = {0};
    struct serve_frame *page;
    (void)state;
    fill_rows();
    for (int round = 0; round < 3; round++) {
        rows[ROWS - 1].rev++;
        assert_page(&e, "KRW-A", INTERVAL_1M, ROWS, &page);
        serve_frame_unref(&page);
        rows[0].close++;
        assert_page(&e, "KRW-A", INTERVAL_1M, ROWS, &page);
        serve_frame_unref(&page);
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
            assert_page(&e, others[k].code, others[k].interval, others[k].count, &page);
            serve_frame_unref(&page);
        }
    }
    serve_encoded_fini(&e);
}

/* What left its slot lives on for whoever still writes it. */
static void test_a_page_outlives_its_place(void **state)
{
    struct serve_encoded e = {0};
    struct serve_frame *old, *next;
    (void)state;
    fill_rows();
    assert_page(&e, "KRW-A", INTERVAL_1M, ROWS, &old);
    rows[0].close++;
    assert_page(&e, "KRW-A", INTERVAL_1M, ROWS, &next);
    serve_encoded_fini(&e);
    assert_ptr_not_equal(old, next);
    assert_int_equal(old->refs, 1);
    assert_int_equal(next->refs, 1);
    serve_frame_unref(&old);
    serve_frame_unref(&next);
}

static void test_a_large_page_is_not_kept(void **state)
{
    struct serve_encoded e = {0};
    struct serve_frame *page;
    (void)state;
    fill_rows();
    assert_page(&e, "KRW-A", INTERVAL_1M, 1000, &page);
    assert_int_equal(page->refs, 1);
    for (size_t k = 0; k < SERVE_ENCODED_SLOTS; k++)
        assert_null(e.slots[k].body);
    serve_frame_unref(&page);
    serve_encoded_fini(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_rows_are_written_once),
        cmocka_unit_test(test_other_rows_are_written_anew),
        cmocka_unit_test(test_a_page_outlives_its_place),
        cmocka_unit_test(test_a_large_page_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
