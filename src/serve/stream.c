/* SPDX-License-Identifier: Apache-2.0 */
/* SSE clients: opening, resuming, changing what they follow. Writing to them: stream_write.c. */
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "model/json.h"
#include "serve/impl.h"
#include "serve/query.h"

enum {
    STREAM_SNDBUF = 64 * 1024, /* what a reader that stands still pins in the kernel (it doubles) */
    GONE_MS = 60000,           /* bytes not acknowledged for so long: the machine is gone */
};

/* --- ids ---------------------------------------------------------------------------------- */

/* The token keeps strangers from guessing another client's id; the slot finds it at once. */
static void take_id(struct serve *s, struct serve_stream *st)
{
    if (!s->free_id) {
        s->ids = mem_array(s->ids, s->id_count + 1, sizeof *s->ids);
        s->ids[s->id_count] = (struct serve_id_slot){0};
        s->free_id = ++s->id_count;
    }
    st->slot = s->free_id - 1;
    s->free_id = s->ids[st->slot].next_free;
    s->ids[st->slot].stream = st;
    ssize_t n = getrandom(&st->token, sizeof st->token, 0);
    REQUIRE(n == (ssize_t)sizeof st->token);
}

static void drop_id(struct serve *s, struct serve_stream *st)
{
    s->ids[st->slot].stream = NULL;
    s->ids[st->slot].next_free = s->free_id;
    s->free_id = st->slot + 1;
}

void serve_stream_id(const struct serve_stream *st, struct buf *out)
{
    buf_printf(out, "%zx-%016" PRIx64, st->slot, st->token);
}

static struct serve_stream *find_stream(struct serve *s, struct serve_slice id)
{
    struct serve_stream *found = NULL;
    struct buf text = {0};
    char number[17] = {0};
    const char *dash = memchr(id.at, '-', id.len);
    if (!dash || dash - id.at > 16)
        return NULL;
    memcpy(number, id.at, (size_t)(dash - id.at));
    size_t slot = strtoull(number, NULL, 16);
    if (slot < s->id_count && s->ids[slot].stream) {
        serve_stream_id(s->ids[slot].stream, &text);
        if (text.len == id.len && memcmp(text.data, id.at, id.len) == 0)
            found = s->ids[slot].stream;
    }
    buf_free(&text);
    return found;
}

/* --- checks ------------------------------------------------------------------------------- */

static void invalid(struct serve_request *req, struct buf *why)
{
    serve_answer_error(req, 400, "invalid_parameter", why->data);
    buf_free(why);
}

/* false: answered. */
static bool markets_known(struct serve_request *req, const struct serve_sub_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (serve_hub_group(&req->s->hub, &l->subs[i]))
            continue;
        serve_answer_no_market(req, "sub", l->subs[i].code);
        return false;
    }
    return true;
}

static bool count_fits(struct serve_request *req, size_t count)
{
    if ((int64_t)count <= req->s->set.max_subs)
        return true;
    struct buf why = {0};
    buf_printf(&why, "sub: at most %" PRId64 " subscriptions a stream", req->s->set.max_subs);
    invalid(req, &why);
    return false;
}

/* --- opening ------------------------------------------------------------------------------ */

static void write_head(struct buf *out, const struct serve_request *req)
{
    buf_str(out, "HTTP/1.1 200 OK\r\n");
    serve_answer_common(out, req);
    /* no-transform and X-Accel-Buffering keep proxies from holding events back. */
    buf_str(out, "Content-Type: text/event-stream; charset=utf-8\r\n"
                 "Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n"
                 "Connection: close\r\n\r\n");
}

static void write_hello(struct buf *out, const struct serve *s, const struct serve_stream *st)
{
    buf_printf(out, "retry: %" PRId64 "\nevent: hello\ndata: {\"id\":\"", s->set.retry_ms);
    serve_stream_id(st, out);
    buf_str(out, "\",\"epoch\":");
    buf_json_str(out, s->hub.epoch, strlen(s->hub.epoch));
    buf_str(out, ",\"source\":");
    buf_json_str(out, s->source_name, strlen(s->source_name));
    buf_printf(out, ",\"simulated\":%s,\"version\":", s->set.simulated ? "true" : "false");
    buf_json_str(out, s->version, strlen(s->version));
    buf_str(out, "}\n\n");
    if (s->hub.status)
        buf_add(out, s->hub.status->frame->bytes, s->hub.status->frame->len);
}

static void write_reset(struct buf *out, const char *reason, const struct serve_reader *r)
{
    buf_printf(out, "event: reset\ndata: {\"reason\":\"%s\",\"sub\":", reason);
    serve_reader_subs_json(r, out);
    buf_str(out, "}\n\n");
}

/* Last-Event-ID beats since. false: no cursor was given. */
static bool find_cursor(const struct serve_http_request *q, const struct serve_stream_query *sq,
                        struct serve_slice *cursor)
{
    if (q->last_event_id.len) {
        *cursor = q->last_event_id;
        return true;
    }
    *cursor = (struct serve_slice){sq->since.len ? sq->since.data : "", sq->since.len};
    return sq->since_given;
}

static void tune_socket(struct serve_conn *c)
{
    int fd, size = STREAM_SNDBUF, gone = GONE_MS;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone, sizeof gone);
}

static void start(struct serve_request *req, const struct serve_http_request *q,
                  const struct serve_stream_query *sq)
{
    struct serve *s = req->s;
    struct serve_conn *c = req->conn;
    struct serve_stream *st = mem_zalloc(sizeof *st);
    struct serve_slice cursor;
    struct buf text = {0};
    struct serve_cursor at;
    bool asked = find_cursor(q, sq, &cursor);
    const char *lost = asked ? serve_hub_cursor(&s->hub, cursor.at, cursor.len, &at) : NULL;
    st->conn = c;
    st->beat_ms = (int64_t)uv_now(s->loop);
    serve_reader_init(&st->reader, &s->hub);
    take_id(s, st);
    if (asked && !lost)
        serve_reader_resume(&st->reader, &at);
    for (size_t i = 0; i < sq->subs.count; i++)
        serve_reader_add(&st->reader, &sq->subs.subs[i], asked && !lost ? &at : NULL);
    if (asked)
        metric_add(lost ? &serve_metric_resets : &serve_metric_resumed, 1);
    write_head(&text, req);
    write_hello(&text, s, st);
    if (lost)
        write_reset(&text, lost, &st->reader);
    st->opening = serve_frame_bytes(text.data, text.len);
    buf_free(&text);
    serve_metric_request(req->route, 200);
    serve_request_free(req);
    tune_socket(c);
    serve_conn_to_stream(c, st);
    s->stream_count++;
    metric_add(&serve_metric_streams, 1);
    serve_fan_mark(s, st);
}

void serve_stream_open(struct serve_request *req, const struct serve_http_request *q,
                       enum serve_stream_form form)
{
    struct serve_stream_query sq;
    struct buf why = {0};
    if (serve_stream_query_read(form, q->query, &sq, &why) != OK) {
        invalid(req, &why);
    } else if (count_fits(req, sq.subs.count) && markets_known(req, &sq.subs)) {
        if (req->head)
            serve_answer(req, &(struct serve_answer){.status = 200,
                                                     .type = "text/event-stream; charset=utf-8"});
        else
            start(req, q, &sq);
    }
    serve_stream_query_free(&sq);
}

void serve_stream_free(struct serve_stream **stp)
{
    struct serve_stream *st = *stp;
    if (!st)
        return;
    struct serve *s = st->conn->s;
    serve_fan_forget(s, st);
    serve_reader_fini(&st->reader);
    drop_id(s, st);
    serve_frame_unref(&st->opening);
    if (st->rest)
        st->rest->stream = NULL;
    s->stream_count--;
    metric_add(&serve_metric_streams, -1);
    free(st);
    *stp = NULL;
}

/* --- changing ----------------------------------------------------------------------------- */

/* How many subscriptions there would be. */
static size_t count_after(struct serve_reader *r, const struct serve_sub_list *add,
                          const struct serve_sub_list *remove)
{
    size_t n = r->count;
    for (size_t i = 0; i < add->count; i++)
        n += !serve_reader_has(r, &add->subs[i]);
    for (size_t i = 0; i < remove->count; i++)
        n -= serve_reader_has(r, &remove->subs[i]);
    return n;
}

static void apply(struct serve_request *req, struct serve_stream *st,
                  const struct serve_sub_list *add, const struct serve_sub_list *remove)
{
    struct buf json = {0};
    for (size_t i = 0; i < remove->count; i++)
        serve_reader_remove(&st->reader, &remove->subs[i]);
    for (size_t i = 0; i < add->count; i++)
        serve_reader_add(&st->reader, &add->subs[i], NULL);
    serve_fan_mark(req->s, st);
    buf_str(&json, "{\"sub\":");
    serve_reader_subs_json(&st->reader, &json);
    buf_char(&json, '}');
    serve_answer_json(req, 200, json.data, json.len);
    buf_free(&json);
}

void serve_stream_change(struct serve_request *req, const struct serve_http_request *q)
{
    struct serve_sub_list add = {0}, remove = {0};
    struct buf why = {0};
    size_t prefix = strlen("/stream/");
    struct serve_slice id = {q->path.at + prefix, q->path.len - prefix};
    struct serve_stream *st = find_stream(req->s, id);
    if (!st)
        serve_answer_error(req, 404, "unknown_stream", "no such stream; open one with GET /stream");
    else if (serve_sub_change_read(q->body.at, q->body.len, &add, &remove, &why) != OK)
        serve_answer_error(req, 400, "invalid_body", why.data);
    else if (markets_known(req, &add) && count_fits(req, count_after(&st->reader, &add, &remove)))
        apply(req, st, &add, &remove);
    serve_sub_list_free(&add);
    serve_sub_list_free(&remove);
    buf_free(&why);
}

void serve_stream_note_status(struct serve *s, const char *json, size_t len)
{
    struct json j;
    json_open(&j, json, len);
    if (json_next(&j) != JSON_OBJECT)
        return;
    while (json_next(&j) == JSON_NAME) {
        bool is_source = json_text_is(&j, "source");
        enum json_token t = json_next(&j);
        if (is_source && t == JSON_STRING && j.text_len < sizeof s->source_name && !j.escaped) {
            memcpy(s->source_name, j.text, j.text_len);
            s->source_name[j.text_len] = '\0';
        }
        if (!json_skip(&j, t))
            return;
    }
}
