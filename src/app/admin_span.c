/* SPDX-License-Identifier: Apache-2.0 */
/* What a request to the admin listener asks for. */
#include <string.h>

#include "app/admin_impl.h"

enum { P_CODE, P_INTERVAL, P_FROM, P_TO, PARAMS };

static enum err wrong(struct buf *why, const char *text)
{
    buf_clear(why);
    buf_str(why, text);
    return ERR_INVALID;
}

static enum err read_interval(const struct serve_param *p, bool needed, enum interval *out,
                              struct buf *why)
{
    if (!p->given && !needed)
        return OK;
    if (p->given && interval_parse(p->value.data ? p->value.data : "", p->value.len, out) == OK)
        return OK;
    return wrong(why, "interval: one of 1s, 1m, 3m, 5m, 10m, 15m, 30m, 1h, 4h, 1d, 1w, 1M");
}

static bool read_time(const struct serve_param *p, enum interval i, int64_t *out)
{
    return p->given && p->value.len && time_parse(p->value.data, p->value.len, out) == OK &&
           interval_start(i, *out) == *out;
}

static enum err check(const struct serve_param *p, unsigned needs, struct admin_span *out,
                      struct buf *why)
{
    const struct buf *code = &p[P_CODE].value;
    if (!code->len || !upbit_code_valid(code->data, code->len))
        return wrong(why, "code: a market such as KRW-BTC");
    memcpy(out->code, code->data, code->len + 1);
    enum err e = read_interval(&p[P_INTERVAL], needs & ADMIN_INTERVAL, &out->interval, why);
    if (e != OK)
        return e;
    out->given = p[P_FROM].given || p[P_TO].given || needs & ADMIN_SPAN;
    if (out->given &&
        (!read_time(&p[P_FROM], out->interval, &out->from_ms) ||
         !read_time(&p[P_TO], out->interval, &out->to_ms) || out->from_ms >= out->to_ms))
        return wrong(why, "from, to: times such as 2026-03-11T14:40:00 on the interval's grid, "
                          "from before to");
    return OK;
}

enum err admin_span_read(const char *query, unsigned needs, struct admin_span *out, struct buf *why)
{
    struct serve_param params[PARAMS] = {
        {.name = "code"}, {.name = "interval"}, {.name = "from"}, {.name = "to"}};
    *out = (struct admin_span){.interval = INTERVAL_1S};
    struct serve_slice slice = {query, strlen(query)};
    enum err e = serve_params_read(slice, params, PARAMS, why);
    if (e == OK)
        e = check(params, needs, out, why);
    serve_params_free(params, PARAMS);
    return e;
}
