/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/sub.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/query.h"

static const struct {
    const char *prefix;
    enum serve_topic topic;
} topics[] = {
    {"ticker:", SERVE_TOPIC_TICKER},
    {"candle.", SERVE_TOPIC_CANDLE},
    {"postgres-candle.", SERVE_TOPIC_POSTGRES},
};

static enum err wrong(const char *name, const char *text, size_t len, struct buf *why)
{
    buf_printf(why,
               "%s: ticker:CODE, candle.INTERVAL:CODE or postgres-candle.INTERVAL:CODE, CODE a "
               "market code or *, INTERVAL * or one of ",
               name);
    serve_query_intervals(why);
    serve_query_got(why, text, len);
    return ERR_INVALID;
}

/* "1m:" or "*:"; moves past the colon. */
static bool parse_interval(const char **at, const char *end, int *out)
{
    const char *colon = memchr(*at, ':', (size_t)(end - *at));
    enum interval i;
    if (!colon)
        return false;
    size_t len = (size_t)(colon - *at);
    if (len == 1 && **at == '*')
        *out = SERVE_SUB_ALL;
    else if (interval_parse(*at, len, &i) == OK)
        *out = (int)i;
    else
        return false;
    *at = colon + 1;
    return true;
}

static bool parse_market(const char *at, const char *end, char code[CODE_MAX])
{
    struct buf ignored = {0};
    size_t len = (size_t)(end - at);
    code[0] = '\0';
    if (len == 1 && *at == '*')
        return true;
    enum err e = serve_query_parse_code("", at, len, code, &ignored);
    buf_free(&ignored);
    return e == OK;
}

enum err serve_sub_parse(const char *name, const char *text, size_t len, struct serve_sub *out,
                         struct buf *why)
{
    struct serve_sub s = {0};
    const char *end = text + len, *at = NULL;
    for (size_t i = 0; i < sizeof topics / sizeof topics[0] && !at; i++) {
        size_t n = strlen(topics[i].prefix);
        if (len > n && memcmp(text, topics[i].prefix, n) == 0) {
            s.topic = topics[i].topic;
            at = text + n;
        }
    }
    if (!at || (s.topic != SERVE_TOPIC_TICKER && !parse_interval(&at, end, &s.interval)) ||
        !parse_market(at, end, s.code))
        return wrong(name, text, len, why);
    *out = s;
    return OK;
}

void serve_sub_write(struct buf *out, const struct serve_sub *s)
{
    if (s->topic == SERVE_TOPIC_TICKER) {
        buf_str(out, "ticker:");
    } else {
        const char *i =
            s->interval == SERVE_SUB_ALL ? "*" : interval_name((enum interval)s->interval);
        buf_str(out, s->topic == SERVE_TOPIC_CANDLE ? "candle." : "postgres-candle.");
        buf_str(out, i);
        buf_char(out, ':');
    }
    buf_str(out, s->code[0] ? s->code : "*");
}

bool serve_sub_equal(const struct serve_sub *a, const struct serve_sub *b)
{
    return a->topic == b->topic && a->interval == b->interval && strcmp(a->code, b->code) == 0;
}

void serve_sub_list_add(struct serve_sub_list *l, const struct serve_sub *s)
{
    for (size_t i = 0; i < l->count; i++)
        if (serve_sub_equal(&l->subs[i], s))
            return;
    l->subs = mem_array(l->subs, l->count + 1, sizeof *l->subs);
    l->subs[l->count++] = *s;
}

void serve_sub_list_free(struct serve_sub_list *l)
{
    free(l->subs);
    *l = (struct serve_sub_list){0};
}

void serve_sub_list_json(struct buf *out, const struct serve_sub_list *l)
{
    buf_char(out, '[');
    for (size_t i = 0; i < l->count; i++) {
        buf_str(out, i ? ",\"" : "\"");
        serve_sub_write(out, &l->subs[i]);
        buf_char(out, '"');
    }
    buf_char(out, ']');
}
