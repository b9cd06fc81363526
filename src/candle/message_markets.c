/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "candle/message.h"
#include "model/json.h"

void message_markets_add(struct message_markets *m, const struct upbit_market *market)
{
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 32;
        m->items = mem_array(m->items, m->cap, sizeof *m->items);
    }
    m->items[m->count++] = *market;
}

void message_markets_free(struct message_markets *m)
{
    free(m->items);
    *m = (struct message_markets){0};
}

void message_markets_write(struct buf *out, const struct message_markets *m)
{
    buf_printf(out, "{\"type\":\"markets\",\"whole\":%s,\"markets\":[",
               m->whole ? "true" : "false");
    for (size_t k = 0; k < m->count; k++) {
        const struct upbit_market *market = &m->items[k];
        buf_printf(out, "%s{\"market\":\"%s\",\"korean_name\":", k ? "," : "", market->code);
        buf_json_str(out, market->korean_name, strlen(market->korean_name));
        buf_str(out, ",\"english_name\":");
        buf_json_str(out, market->english_name, strlen(market->english_name));
        buf_char(out, '}');
    }
    buf_str(out, "]}");
}

static void add(void *ctx, const struct upbit_market *market)
{
    message_markets_add(ctx, market);
}

/* The list is as the exchange's own: read by its reader. */
static bool read_list(struct json *j, struct message_markets *m)
{
    struct upbit_reason why;
    enum json_token t = json_next(j);
    size_t start = j->pos - 1;
    if (t != JSON_ARRAY || m->items || !json_skip(j, t))
        return false;
    return upbit_markets_read(j->data + start, j->pos - start, add, m, &why) == OK;
}

static bool read_member(struct json *j, struct message_markets *m, unsigned *has)
{
    static const char *const names[] = {"type", "whole", "markets"};
    unsigned k = 0;
    while (k < 3 && !json_text_is(j, names[k]))
        k++;
    if (k < 3 && *has & 1u << k)
        return false;
    *has |= 1u << k;
    if (k == 2)
        return read_list(j, m);
    enum json_token t = json_next(j);
    if (k == 0)
        return t == JSON_STRING && json_text_is(j, "markets");
    if (k == 1) {
        m->whole = t == JSON_TRUE;
        return t == JSON_TRUE || t == JSON_FALSE;
    }
    *has &= 7u;
    return t != JSON_BAD && json_skip(j, t);
}

enum err message_markets_read(const char *json, size_t len, struct message_markets *out)
{
    struct json j;
    struct message_markets m = {0};
    unsigned has = 0;
    json_open(&j, json, len);
    bool good = json_next(&j) == JSON_OBJECT;
    enum json_token t = JSON_BAD;
    while (good && (t = json_next(&j)) == JSON_NAME)
        good = read_member(&j, &m, &has);
    if (good && t == JSON_OBJECT_END && json_next(&j) == JSON_END && has == 7) {
        *out = m;
        return OK;
    }
    message_markets_free(&m);
    return ERR_INVALID;
}
