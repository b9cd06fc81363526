/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/query.h"

#include <string.h>

#include "model/upbit.h"

enum { COUNT_DEFAULT = 200, COUNT_MAX = 1000, GOT_MAX = 64 };

static void add_printable(struct buf *out, const char *text, size_t len)
{
    size_t n = len < GOT_MAX ? len : GOT_MAX;
    for (size_t i = 0; i < n; i++)
        buf_char(out, text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?');
    if (len > n)
        buf_str(out, "…");
}

void serve_query_got(struct buf *why, const char *text, size_t len)
{
    buf_str(why, "; got \"");
    add_printable(why, text, len);
    buf_char(why, '"');
}

void serve_query_intervals(struct buf *out)
{
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        buf_str(out, i ? ", " : "");
        buf_str(out, interval_name((enum interval)i));
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX and '+'; false: broken escape or a control character. */
static bool decode(struct serve_slice in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i++) {
        int c = (unsigned char)in.at[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            if (in.len - i < 3 || hex_value(in.at[i + 1]) < 0 || hex_value(in.at[i + 2]) < 0)
                return false;
            c = hex_value(in.at[i + 1]) * 16 + hex_value(in.at[i + 2]);
            i += 2;
        }
        if (c < ' ' || c == 0x7f)
            return false;
        buf_char(out, (char)c);
    }
    return true;
}

/* "x: unknown parameter; allowed: code, interval" */
static enum err wrong_name(struct buf *why, const struct buf *name,
                           const struct serve_param *params, size_t count)
{
    add_printable(why, name->len ? name->data : "", name->len);
    buf_str(why, ": unknown parameter; allowed: ");
    if (count == 0)
        buf_str(why, "none");
    for (size_t i = 0; i < count; i++) {
        buf_str(why, i ? ", " : "");
        buf_str(why, params[i].name);
    }
    return ERR_INVALID;
}

static struct serve_param *find(struct serve_param *params, size_t count, const struct buf *name)
{
    for (size_t i = 0; i < count; i++)
        if (name->len == strlen(params[i].name) &&
            memcmp(params[i].name, name->data, name->len) == 0)
            return &params[i];
    return NULL;
}

static enum err take(struct serve_param *p, struct serve_slice value, struct buf *why)
{
    if (p->given && !p->many) {
        buf_printf(why, "%s: given twice", p->name);
        return ERR_INVALID;
    }
    if (p->given)
        buf_char(&p->value, '\n');
    p->given = true;
    if (decode(value, &p->value))
        return OK;
    buf_printf(why, "%s: text with %%XX escapes, no control characters", p->name);
    serve_query_got(why, value.at, value.len);
    return ERR_INVALID;
}

/* One "name=value"; name is scratch. */
static enum err read_pair(struct serve_slice pair, struct serve_param *params, size_t count,
                          struct buf *name, struct buf *why)
{
    const char *eq = memchr(pair.at, '=', pair.len);
    size_t name_len = eq ? (size_t)(eq - pair.at) : pair.len;
    struct serve_slice value = {pair.at + pair.len, 0};
    if (eq)
        value = (struct serve_slice){eq + 1, pair.len - name_len - 1};
    buf_clear(name);
    struct serve_param *p = NULL;
    if (decode((struct serve_slice){pair.at, name_len}, name))
        p = find(params, count, name);
    return p ? take(p, value, why) : wrong_name(why, name, params, count);
}

enum err serve_params_read(struct serve_slice query, struct serve_param *params, size_t count,
                           struct buf *why)
{
    struct buf name = {0};
    enum err e = OK;
    while (e == OK && query.at) {
        const char *amp = memchr(query.at, '&', query.len);
        struct serve_slice pair = {query.at, amp ? (size_t)(amp - query.at) : query.len};
        if (pair.len)
            e = read_pair(pair, params, count, &name, why);
        if (amp)
            query = (struct serve_slice){amp + 1, query.len - pair.len - 1};
        else
            query.at = NULL;
    }
    buf_free(&name);
    return e;
}

void serve_params_free(struct serve_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_free(&params[i].value);
}

enum err serve_query_parse_code(const char *name, const char *text, size_t len, char code[CODE_MAX],
                                struct buf *why)
{
    if (len >= CODE_MAX || !upbit_code_valid(text, len)) {
        buf_printf(why, "%s: a market code such as KRW-BTC", name);
        serve_query_got(why, text, len);
        return ERR_INVALID;
    }
    memcpy(code, text, len);
    code[len] = '\0';
    return OK;
}

static const char *text_of(const struct serve_param *p)
{
    return p->value.data ? p->value.data : "";
}

static enum err required(const struct serve_param *p, const char *what, struct buf *why)
{
    if (p->given)
        return OK;
    buf_printf(why, "%s: required; %s", p->name, what);
    return ERR_INVALID;
}

static enum err read_code(const struct serve_param *p, char code[CODE_MAX], struct buf *why)
{
    enum err e = required(p, "a market code such as KRW-BTC", why);
    return e ? e : serve_query_parse_code(p->name, text_of(p), p->value.len, code, why);
}

static enum err read_interval(const struct serve_param *p, enum interval *out, struct buf *why)
{
    if (p->given && interval_parse(text_of(p), p->value.len, out) == OK)
        return OK;
    buf_printf(why, "%s: %sone of ", p->name, p->given ? "" : "required; ");
    serve_query_intervals(why);
    if (p->given)
        serve_query_got(why, text_of(p), p->value.len);
    return ERR_INVALID;
}

static enum err read_count(const struct serve_param *p, size_t *out, struct buf *why)
{
    size_t n = 0, i = 0;
    *out = COUNT_DEFAULT;
    if (!p->given)
        return OK;
    const char *text = text_of(p);
    for (; i < p->value.len && i < 5 && text[i] >= '0' && text[i] <= '9'; i++)
        n = n * 10 + (size_t)(text[i] - '0');
    *out = n;
    if (i > 0 && i == p->value.len && n >= 1 && n <= COUNT_MAX)
        return OK;
    buf_printf(why, "%s: a whole number from 1 to %d", p->name, COUNT_MAX);
    serve_query_got(why, text, p->value.len);
    return ERR_INVALID;
}

/* A '+' typed raw arrives as a space: "…T14:40:00 09:00" is meant as "…T14:40:00+09:00". */
static void restore_plus(struct buf *b)
{
    static const size_t date_len = sizeof "2026-03-11T" - 1;
    char *at = b->len > date_len ? memchr(b->data + date_len, ' ', b->len - date_len) : NULL;
    if (at)
        *at = '+';
}

static enum err read_to(struct serve_param *p, int64_t *out, struct buf *why)
{
    *out = INT64_MAX;
    if (!p->given)
        return OK;
    restore_plus(&p->value);
    if (time_parse(text_of(p), p->value.len, out) == OK)
        return OK;
    buf_printf(why, "%s: ISO 8601 such as 2026-03-11T14:40:00, UTC or with an offset", p->name);
    serve_query_got(why, text_of(p), p->value.len);
    return ERR_INVALID;
}

static enum err read_state(const struct serve_param *p, bool *closed_only, struct buf *why)
{
    *closed_only = p->given;
    if (!p->given || strcmp(text_of(p), "closed") == 0)
        return OK;
    buf_printf(why, "%s: only closed", p->name);
    serve_query_got(why, text_of(p), p->value.len);
    return ERR_INVALID;
}

enum { CODE, INTERVAL, COUNT, TO, STATE, CANDLE_PARAMS };

/* Knows the first `known` of the parameters above. */
static enum err read_candles(struct serve_slice query, size_t known, struct serve_query *out,
                             struct buf *why)
{
    struct serve_param p[CANDLE_PARAMS] = {
        [CODE] = {.name = "code"}, [INTERVAL] = {.name = "interval"}, [COUNT] = {.name = "count"},
        [TO] = {.name = "to"},     [STATE] = {.name = "state"},
    };
    struct serve_query q = {0};
    enum err e = serve_params_read(query, p, known, why);
    if (e == OK)
        e = read_code(&p[CODE], q.code, why);
    if (e == OK)
        e = read_interval(&p[INTERVAL], &q.interval, why);
    if (e == OK)
        e = read_count(&p[COUNT], &q.count, why);
    if (e == OK)
        e = read_to(&p[TO], &q.to_ms, why);
    if (e == OK)
        e = read_state(&p[STATE], &q.closed_only, why);
    if (e == OK)
        *out = q;
    serve_params_free(p, CANDLE_PARAMS);
    return e;
}

enum err serve_query_candles(struct serve_slice query, struct serve_query *out, struct buf *why)
{
    return read_candles(query, CANDLE_PARAMS, out, why);
}

enum err serve_query_exchange_candles(struct serve_slice query, struct serve_query *out,
                                      struct buf *why)
{
    return read_candles(query, STATE, out, why);
}

enum err serve_query_code(struct serve_slice query, char code[CODE_MAX], struct buf *why)
{
    struct serve_param p = {.name = "code"};
    enum err e = serve_params_read(query, &p, 1, why);
    code[0] = '\0';
    if (e == OK && p.given)
        e = serve_query_parse_code(p.name, text_of(&p), p.value.len, code, why);
    serve_params_free(&p, 1);
    return e;
}
