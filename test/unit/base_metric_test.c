/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/metric.h"
#include "check.h"

static struct metric tickers = METRIC_COUNTER("test_frames_total", "Frames.", "type=\"ticker\"");
static struct metric depth = METRIC_GAUGE("test_depth", "Items waiting.", "");
static struct metric candles = METRIC_COUNTER("test_frames_total", "Frames.", "type=\"candle\"");
static struct metric commit = METRIC_HISTOGRAM("test_commit_seconds", "Commit.", "store=\"a\"");

static void text_groups_series_of_one_name(void **state)
{
    (void)state;
    metric_register(&tickers);
    metric_register(&depth);
    metric_register(&candles);
    metric_register(&tickers); /* again: no second series */
    metric_add(&tickers, 2);
    metric_add(&tickers, 1);
    metric_set(&depth, -4);
    assert_int_equal(metric_get(&tickers), 3);
    struct buf out = {0};
    metric_text(&out);
    assert_string_equal(out.data, "# HELP test_frames_total Frames.\n"
                                  "# TYPE test_frames_total counter\n"
                                  "test_frames_total{type=\"ticker\"} 3\n"
                                  "test_frames_total{type=\"candle\"} 0\n"
                                  "# HELP test_depth Items waiting.\n"
                                  "# TYPE test_depth gauge\n"
                                  "test_depth -4\n");
    buf_clear(&out);
    metric_markdown(&out);
    assert_non_null(strstr(out.data, "| `test_frames_total` | counter | Frames. | "
                                     "`{type=\"ticker\"}` `{type=\"candle\"}` |\n"));
    buf_free(&out);
}

static void histograms_are_cumulative_and_in_seconds(void **state)
{
    (void)state;
    metric_register(&commit);
    metric_observe_ns(&commit, 500000); /* on a bound: belongs to it */
    metric_observe_ns(&commit, 500001);
    metric_observe_ns(&commit, 61000000000); /* beyond all */
    struct buf out = {0};
    metric_text(&out);
    const char *at = strstr(out.data, "# TYPE test_commit_seconds histogram\n");
    assert_non_null(at);
    assert_non_null(strstr(at, "test_commit_seconds_bucket{store=\"a\",le=\"0.0005\"} 1\n"));
    assert_non_null(strstr(at, "test_commit_seconds_bucket{store=\"a\",le=\"0.001\"} 2\n"));
    assert_non_null(strstr(at, "test_commit_seconds_bucket{store=\"a\",le=\"60\"} 2\n"));
    assert_non_null(strstr(at, "test_commit_seconds_bucket{store=\"a\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(at, "test_commit_seconds_sum{store=\"a\"} 61.001000001\n"));
    assert_non_null(strstr(at, "test_commit_seconds_count{store=\"a\"} 3\n"));
    buf_free(&out);
}

static struct metric behind = METRIC_GAUGE_MS("test_behind_seconds", "Behind.", "");
static struct metric each = {
    .name = "test_heard_seconds", .help = "Heard.", .labels = "code=\"…\"", .family = true};

static void thousandths_are_shown_as_the_unit(void **state)
{
    (void)state;
    struct buf out = {0};
    metric_register(&behind);
    metric_set(&behind, -2050);
    metric_text(&out);
    assert_non_null(strstr(out.data, "\ntest_behind_seconds -2.050\n"));
    metric_set(&behind, 83);
    buf_clear(&out);
    metric_text(&out);
    assert_non_null(strstr(out.data, "\ntest_behind_seconds 0.083\n"));
    buf_free(&out);
}

static void a_family_is_documented_and_not_shown(void **state)
{
    (void)state;
    struct buf out = {0};
    metric_register(&each);
    metric_text(&out);
    assert_null(strstr(out.data, "test_heard_seconds"));
    buf_clear(&out);
    metric_markdown(&out);
    assert_non_null(strstr(out.data, "| `test_heard_seconds` | counter | Heard. | `{code=\"…\"}`"));
    buf_free(&out);
}

static void bounds_rise(void **state)
{
    (void)state;
    assert_true(metric_bounds[0] == 0.0005 && metric_bounds[METRIC_BUCKETS - 2] == 60);
    for (int i = 1; i < METRIC_BUCKETS - 1; i++)
        assert_true(metric_bounds[i] > metric_bounds[i - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_groups_series_of_one_name),
        cmocka_unit_test(histograms_are_cumulative_and_in_seconds),
        cmocka_unit_test(thousandths_are_shown_as_the_unit),
        cmocka_unit_test(a_family_is_documented_and_not_shown),
        cmocka_unit_test(bounds_rise),
    };
    return cmocka_run_group_tests_name("base_metric", tests, NULL, NULL);
}
