/* SPDX-License-Identifier: Apache-2.0 */
/* feed: what a WebSocket client says, and the subscriptions that follow from it. */
#include "json.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define ERROR_CLOSE_MS 150
#define PER_SECOND     5
#define PER_MINUTE     100

static const char *const format_names[FORMAT_COUNT] = {"DEFAULT", "SIMPLE", "JSON_LIST",
                                                       "SIMPLE_LIST"};

void feed_open(struct conn *c)
{
    c->feed = xcalloc(1, sizeof *c->feed);
    c->feed->format = FORMAT_DEFAULT;
}

/* What was held back by a stall when the end came was not heard either. */
void feed_mute(struct conn *c)
{
    struct sim *s = c->sim;
    if (!c->feed->hearing)
        return;
    if (s->heard_count == s->heard_cap) {
        s->heard_cap = s->heard_cap ? s->heard_cap * 2 : 64;
        s->heard = xrealloc(s->heard, s->heard_cap * sizeof *s->heard);
    }
    bool stalled = c->stall_until > (int64_t)uv_now(&s->loop);
    s->heard[s->heard_count++] =
        (struct heard){c->feed->heard_from_ms, stalled ? c->stalled_ms : world_now(&s->world)};
    c->feed->hearing = false;
}

void feed_free(struct conn *c)
{
    struct feed *f = c->feed;
    feed_mute(c);
    for (size_t i = 0; i < f->held_count; i++)
        free(f->held[i].data);
    json_free(f->request);
    free(f->held);
    free(f->snaps);
    free(f);
    c->feed = NULL;
}

bool feed_idle(const struct conn *c)
{
    return (int64_t)uv_now(&c->sim->loop) - c->last_active > c->sim->opt.idle_seconds * 1000LL;
}

/* Errors are binary frames too; the close follows 150 ms later, with code 1000. */
void feed_error(struct conn *c, const char *name, const char *message, bool message_first)
{
    struct buf b = {0};
    buf_put(&b, "{\"error\":{");
    for (int i = 0; i < 2; i++) {
        bool is_message = (i == 0) == message_first;
        buf_put(&b, i ? ",\"" : "\"");
        buf_put(&b, is_message ? "message\":" : "name\":");
        put_json_string(&b, is_message ? message : name);
    }
    buf_put(&b, "}}");
    ws_send(c, 2, b.p, b.len);
    feed_mute(c);
    c->close_at = (int64_t)uv_now(&c->sim->loop) + ERROR_CLOSE_MS;
    sim_log("sim.client_error peer=%s name=%s", c->peer, name);
    buf_free(&b);
}

static bool wrong_format(struct conn *c)
{
    feed_error(c, "WRONG_FORMAT", "Format 이 맞지 않습니다.", true);
    return false;
}

static bool over_limit(struct conn *c)
{
    struct feed *f = c->feed;
    int64_t second = (int64_t)uv_now(&c->sim->loop) / 1000;
    if (f->message_second != second)
        f->second_count = 0;
    if (f->message_minute != second / 60)
        f->minute_count = 0;
    f->message_second = second;
    f->message_minute = second / 60;
    return ++f->second_count > PER_SECOND || ++f->minute_count > PER_MINUTE;
}

static bool flag_of(const struct json *item, const char *name, const char *camel)
{
    const struct json *j = json_get(item, name);
    if (!j)
        j = json_get(item, camel);
    return j && ((j->type == JSON_BOOL && j->truth) ||
                 (j->type == JSON_STRING && !strcmp(j->text, "true")));
}

static int type_of(const char *name)
{
    for (int i = 0; i < FEED_TYPES; i++)
        if (!strcmp(feed_type_name((enum feed_type)i), name))
            return i;
    return -1;
}

static bool check_codes(struct conn *c, const struct json *item)
{
    const struct json *codes = json_get(item, "codes");
    if (!codes) {
        feed_error(c, "NO_CODES", "codes 필드가 존재하지 않습니다.", false);
        return false;
    }
    if (codes->type != JSON_ARRAY)
        return wrong_format(c);
    if (!codes->child) {
        feed_error(c, "INVALID_PARAM", "codes 필드가 비어 있습니다.", true);
        return false;
    }
    for (const struct json *j = codes->child; j; j = j->next)
        if (j->type != JSON_STRING)
            return wrong_format(c);
    return true;
}

static bool check_type(struct conn *c, const struct json *item)
{
    const struct json *type = json_get(item, "type");
    char message[256];
    if (!type) {
        feed_error(c, "NO_TYPE", "type 필드가 존재하지 않습니다.", false);
        return false;
    }
    if (type->type != JSON_STRING)
        return wrong_format(c);
    if (!strcmp(type->text, "myOrder") || !strcmp(type->text, "myAsset")) {
        feed_error(c, "INVALID_AUTH", "인증 정보가 올바르지 않습니다.", false);
        return false;
    }
    if (type_of(type->text) < 0) {
        snprintf(message, sizeof message, "%.100s 은 지원하지 않는 타입입니다.", type->text);
        feed_error(c, "INVALID_PARAM", message, true);
        return false;
    }
    return check_codes(c, item);
}

static bool is_meta(const struct json *item)
{
    return json_get(item, "ticket") || json_get(item, "format") || json_get(item, "method");
}

/* Says the first thing wrong with the message, if any. */
static bool check_message(struct conn *c, const struct json *root, int *types)
{
    bool ticket = false;
    if (!root || root->type != JSON_ARRAY)
        return wrong_format(c);
    for (const struct json *j = root->child; j; j = j->next) {
        const char *text = json_text(j, "ticket");
        if (j->type != JSON_OBJECT)
            return wrong_format(c);
        ticket |= text && *text;
    }
    if (!ticket) {
        feed_error(c, "NO_TICKET", "티켓이 존재하지 않거나, 유효하지 않습니다.", false);
        return false;
    }
    for (const struct json *j = root->child; j; j = j->next) {
        if (json_get(j, "type") || !is_meta(j)) {
            if (!check_type(c, j))
                return false;
            ++*types;
        }
    }
    return true;
}

static void take_format(struct feed *f, const struct json *root)
{
    f->format = FORMAT_DEFAULT;
    for (const struct json *j = root->child; j; j = j->next)
        for (int i = 0; json_text(j, "format") && i < FORMAT_COUNT; i++)
            if (!strcmp(json_text(j, "format"), format_names[i]))
                f->format = (enum format)i;
}

static const char *member(const struct json *root, const char *name)
{
    for (const struct json *j = root->child; j; j = j->next)
        if (json_text(j, name))
            return json_text(j, name);
    return NULL;
}

static void list_item(struct buf *b, const struct json *item, bool simple)
{
    const struct json *codes = json_get(item, "codes");
    char last = b->p[b->len - 1];
    buf_printf(b, "%s{\"%s\":", last == '[' ? "" : ",", simple ? "ty" : "type");
    put_json_string(b, json_text(item, "type"));
    buf_printf(b, ",\"%s\":[", simple ? "cds" : "codes");
    for (const struct json *j = codes->child; j; j = j->next) {
        put_json_string(b, j->text);
        buf_put(b, j->next ? "," : "");
    }
    buf_put(b, "]");
    if (!strcmp(json_text(item, "type"), "orderbook"))
        buf_printf(b, ",\"%s\":0", simple ? "lv" : "level");
    buf_put(b, "}");
}

/* The newest ticket, this request's own, is echoed. */
static void list_subscriptions(struct conn *c, const struct json *root)
{
    struct feed *f = c->feed;
    struct buf b = {0};
    bool simple = f->format == FORMAT_SIMPLE || f->format == FORMAT_SIMPLE_LIST;
    buf_printf(&b, "{\"%s\":\"LIST_SUBSCRIPTIONS\",\"%s\":[", simple ? "mthd" : "method",
               simple ? "rslt" : "result");
    for (const struct json *j = f->request ? f->request->child : NULL; j; j = j->next)
        if (json_text(j, "type"))
            list_item(&b, j, simple);
    buf_printf(&b, "],\"%s\":", simple ? "tckt" : "ticket");
    put_json_string(&b, member(root, "ticket"));
    buf_put(&b, "}");
    ws_send(c, 2, b.p, b.len);
    buf_free(&b);
}

/* Unknown and lower-case codes are passed over in silence. */
static void take_codes(struct conn *c, const struct json *item)
{
    struct feed *f = c->feed;
    int type = type_of(json_text(item, "type"));
    bool only_snapshot = flag_of(item, "is_only_snapshot", "isOnlySnapshot");
    bool only_realtime = flag_of(item, "is_only_realtime", "isOnlyRealtime");
    for (const struct json *j = json_get(item, "codes")->child; j; j = j->next) {
        struct market *m = world_market(&c->sim->world, j->text);
        if (!m || strcmp(m->code, j->text) != 0)
            continue;
        if (!only_snapshot)
            f->want[m->id] |= 1u << type;
        if (only_realtime || type == FEED_ORDERBOOK)
            continue;
        f->snaps = xrealloc(f->snaps, (f->snap_count + 1) * sizeof *f->snaps);
        f->snaps[f->snap_count++] = (struct snap){(enum feed_type)type, m};
    }
}

static void subscribe(struct conn *c, struct json *root)
{
    struct feed *f = c->feed;
    memset(f->want, 0, sizeof f->want);
    f->snap_count = f->snap_next = 0;
    for (const struct json *j = root->child; j; j = j->next)
        if (json_get(j, "type"))
            take_codes(c, j);
    json_free(f->request);
    f->request = root;
    if (c->sim->world.frozen) {
        world_thaw(&c->sim->world);
        sim_log("sim.replay_started");
    }
    world_advance(&c->sim->world, world_now(&c->sim->world));
    if (!f->hearing)
        f->heard_from_ms = world_now(&c->sim->world);
    f->hearing = true;
    f->burst_at = (int64_t)uv_now(&c->sim->loop) + 160;
    flush_snapshots(c, (f->snap_count + 1) / 2);
    sim_log("sim.subscribed peer=%s now_ms=%lld", c->peer, (long long)world_now(&c->sim->world));
}

void feed_message(struct conn *c, const char *text, size_t n)
{
    int types = 0;
    if (c->close_at)
        return;
    if (n == 4 && !memcmp(text, "PING", 4)) {
        c->feed->wants_up = true;
        return;
    }
    if (over_limit(c)) {
        feed_error(c, "TOO_MANY_REQUEST", "요청 수 제한을 초과했습니다.", false);
        return;
    }
    struct json *root = json_parse(text, n);
    if (!check_message(c, root, &types)) {
        json_free(root);
        return;
    }
    take_format(c->feed, root);
    const char *method = member(root, "method");
    if (method && !strcmp(method, "LIST_SUBSCRIPTIONS")) {
        list_subscriptions(c, root);
        json_free(root);
    } else if (!types) {
        feed_error(c, "NO_TYPE", "type 필드가 존재하지 않습니다.", false);
        json_free(root);
    } else {
        subscribe(c, root);
    }
}
