/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader: any bytes. What it accepts it must accept again when its tokens are written out.
 */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "model/json.h"

static void write_value(struct buf *out, const struct json *j, enum json_token t)
{
    static const char *const words[] = {
        [JSON_OBJECT] = "{",  [JSON_OBJECT_END] = "}", [JSON_ARRAY] = "[",  [JSON_ARRAY_END] = "]",
        [JSON_TRUE] = "true", [JSON_FALSE] = "false",  [JSON_NULL] = "null"};
    if (t == JSON_NUMBER) {
        buf_add(out, j->text, j->text_len);
    } else if (t == JSON_STRING || t == JSON_NAME) {
        buf_char(out, '"');
        buf_add(out, j->text, j->text_len);
        buf_char(out, '"');
    } else {
        buf_str(out, words[t]);
    }
}

/* Puts the comma or colon that stands between two tokens. */
static void write_separator(struct buf *out, enum json_token before, enum json_token t)
{
    bool opening = before == JSON_OBJECT || before == JSON_ARRAY || before == JSON_END;
    if (before == JSON_NAME)
        buf_char(out, ':');
    else if (!opening && t != JSON_OBJECT_END && t != JSON_ARRAY_END)
        buf_char(out, ',');
}

static void check_text(const struct json *j, const char *data, size_t len)
{
    struct buf decoded = {0};
    REQUIRE(j->text >= data && j->text_len <= len && j->text + j->text_len <= data + len);
    if (json_unescape(j, &decoded) == OK) {
        REQUIRE(decoded.len <= j->text_len);
        REQUIRE(j->escaped || decoded.len == j->text_len);
        if (strlen(decoded.data) == decoded.len)
            REQUIRE(json_text_is(j, decoded.data));
    }
    buf_free(&decoded);
}

/* Reads to the end; writes the tokens to out where it is not NULL. */
static bool read_all(const char *data, size_t len, struct buf *out)
{
    struct json j;
    enum json_token t, before = JSON_END;
    json_open(&j, data, len);
    while ((t = json_next(&j)) != JSON_END) {
        REQUIRE(j.pos <= len && j.depth >= 0 && j.depth <= JSON_DEPTH_MAX);
        if (t == JSON_BAD) {
            REQUIRE(json_next(&j) == JSON_BAD);
            return false;
        }
        if (t == JSON_NAME || t == JSON_STRING)
            check_text(&j, data, len);
        if (out) {
            write_separator(out, before, t);
            write_value(out, &j, t);
        }
        before = t;
    }
    return true;
}

static void skip_whole(const char *data, size_t len, bool good)
{
    struct json j;
    json_open(&j, data, len);
    bool skipped = json_skip(&j, json_next(&j)) && json_next(&j) == JSON_END;
    REQUIRE(skipped == good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = {0};
    bool good = read_all((const char *)data, size, &out);
    if (good)
        REQUIRE(read_all(out.data, out.len, NULL));
    skip_whole((const char *)data, size, good);
    buf_free(&out);
    return 0;
}
