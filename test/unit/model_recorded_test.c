/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and answers recorded from the live exchange (env STOFKA_TEST_DATA, its SOURCES.md). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model/upbit.h"

/* Opens a recorded file, through gzip where it is packed; NULL: skipped, which CI does not allow.
 */
static FILE *open_recorded(const char *name)
{
    char command[1024];
    const char *root = getenv("STOFKA_TEST_DATA");
    if (!root && getenv("CI"))
        fail_msg("STOFKA_TEST_DATA is not set");
    if (!root) {
        print_message("STOFKA_TEST_DATA is not set: skipped\n");
        skip();
        return NULL;
    }
    snprintf(command, sizeof command, "gzip -dcf '%s/%s'", root, name);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    return f;
}

static struct upbit_frame read_frame(const char *text, size_t len)
{
    struct upbit_frame f;
    struct upbit_reason why = {"", 0};
    if (upbit_frame_read(text, len, &f, &why) != OK)
        fail_msg("refused for %s at %zu: %.*s", why.field, why.pos, (int)len, text);
    return f;
}

/* A candle frame of 2026 has scale 8 throughout: our writer must give its very bytes. */
static void expect_same_bytes(const struct upbit_frame *f, const char *text, size_t len)
{
    struct buf out = {0};
    upbit_candle_write(&out, f->code, f->interval, &f->candle);
    if (f->snapshot) {
        const char *stream_type = strstr(text, ",\"stream_type\"");
        assert_non_null(stream_type);
        len = (size_t)(stream_type - text);
        assert_true(out.len > len);
    } else {
        assert_int_equal(out.len, len);
    }
    assert_memory_equal(out.data, text, len);
    buf_free(&out);
}

static void default_frames_are_read_and_candles_written_back(void **state)
{
    (void)state;
    FILE *f = open_recorded("ws/frames_default.jsonl");
    if (!f)
        return;
    int kinds[UPBIT_OTHER + 1] = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, f)) > 0) {
        len -= line[len - 1] == '\n';
        struct upbit_frame frame = read_frame(line, (size_t)len);
        kinds[frame.kind]++;
        if (frame.kind == UPBIT_CANDLE)
            expect_same_bytes(&frame, line, (size_t)len);
        struct buf out = {0};
        assert_int_equal(upbit_to_default(line, (size_t)len, &out), OK);
        assert_int_equal(out.len, len);
        assert_memory_equal(out.data, line, (size_t)len);
        buf_free(&out);
    }
    free(line);
    pclose(f);
    assert_int_equal(kinds[UPBIT_TRADE], 1);
    assert_int_equal(kinds[UPBIT_CANDLE], 8);
    assert_int_equal(kinds[UPBIT_TICKER], 2);
}

struct totals {
    int trades, others;
    decimal_units volume, price;
    int64_t newest;
};

static void expect_same_by_default_names(const struct upbit_frame *simple, const char *text,
                                         size_t len)
{
    struct buf out = {0};
    assert_int_equal(upbit_to_default(text, len, &out), OK);
    struct upbit_frame f = read_frame(out.data, out.len);
    assert_true(simple->simple && !f.simple);
    assert_int_equal(strncmp(out.data, "{\"type\":\"trade\",\"code\":", 23), 0);
    assert_string_equal(f.code, simple->code);
    assert_memory_equal(&f.trade, &simple->trade, sizeof f.trade);
    buf_free(&out);
}

/* A line of the capture is `1617646620.849474: b'{…}'`; others tell of the connection. */
static void add_line(struct totals *t, const char *line)
{
    const char *from = strstr(line, ": b'"), *to = strrchr(line, '\'');
    if (!from || to < from + 4)
        return;
    from += 4;
    size_t len = (size_t)(to - from);
    struct upbit_frame f = read_frame(from, len);
    if (f.kind != UPBIT_TRADE) {
        assert_int_equal(f.kind, UPBIT_OTHER);
        t->others++;
        return;
    }
    t->trades++;
    t->volume += f.trade.volume;
    t->price += f.trade.price;
    t->newest = f.trade.trade_ms > t->newest ? f.trade.trade_ms : t->newest;
    expect_same_by_default_names(&f, from, len);
}

/* The sums are Python's, by its decimal module. */
static void simple_trades_are_read_to_the_last_digit(void **state)
{
    (void)state;
    FILE *f = open_recorded("ws/UPBIT-d78752.0.gz");
    if (!f)
        return;
    struct totals t = {0};
    char *line = NULL, text[DECIMAL_TEXT_MAX];
    size_t cap = 0;
    while (getline(&line, &cap, f) > 0)
        add_line(&t, line);
    free(line);
    pclose(f);
    assert_int_equal(t.trades, 672);
    assert_int_equal(t.others, 1061);
    decimal_write(t.volume, DECIMAL_SCALE, text);
    assert_string_equal(text, "741869.24536505");
    decimal_write(t.price, DECIMAL_SCALE, text);
    assert_string_equal(text, "2705911.30000043");
    assert_true(t.newest == 1617646739000);
}

static void count_market(void *ctx, const struct upbit_market *m)
{
    assert_true(m->korean_name[0] && m->english_name[0]);
    ++*(int *)ctx;
}

static void markets_of_2021_are_read(void **state)
{
    (void)state;
    FILE *f = open_recorded("ws/UPBIT.market_all.0");
    if (!f)
        return;
    char *line = NULL;
    size_t cap = 0;
    int count = 0;
    struct upbit_reason why;
    assert_true(getline(&line, &cap, f) > 0);
    const char *body = strstr(line, ": [");
    assert_non_null(body);
    assert_int_equal(upbit_markets_read(body + 2, strlen(body + 2), count_market, &count, &why),
                     OK);
    assert_int_equal(count, 294);
    free(line);
    pclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_frames_are_read_and_candles_written_back),
        cmocka_unit_test(simple_trades_are_read_to_the_last_digit),
        cmocka_unit_test(markets_of_2021_are_read),
    };
    return cmocka_run_group_tests_name("model_recorded", tests, NULL, NULL);
}
