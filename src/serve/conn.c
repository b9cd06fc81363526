/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: reading requests in order, writing one answer at a time, deadlines. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "serve/impl.h"

enum {
    LINGER_MS = 1000,
    AHEAD_MAX = 64 * 1024, /* bytes sent ahead while a request is being answered */
    ADMIN_MAX = 64,        /* connections to the admin listener; apart from the public limit */
    REQUESTS_A_TURN = 4,   /* of one connection; then it's the others' turn */
    ROOM_LOOK = 32,        /* connections looked at for one that can be closed */
};

static int64_t now_ms(const struct serve *s)
{
    return (int64_t)uv_now(s->loop);
}

/* --- lists and life ----------------------------------------------------------------------- */

static void list_add(struct serve_conn_list *list, struct serve_conn *c)
{
    c->prev = NULL;
    c->next = list->first;
    if (c->next)
        c->next->prev = c;
    else
        list->last = c;
    list->first = c;
}

static void list_remove(struct serve_conn_list *list, struct serve_conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        list->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        list->last = c->prev;
}

static void count(struct serve_conn *c, int n)
{
    struct serve *s = c->s;
    if (c->refused)
        s->refused_count += n;
    else if (c->admin)
        s->admin_count += n;
    else
        s->conn_count += n;
    metric_add(&serve_metric_connections, n);
}

static void on_closed(uv_handle_t *handle)
{
    struct serve_conn *c = (struct serve_conn *)(void *)handle;
    struct serve *s = c->s;
    free(c);
    serve_handle_closed(s);
}

void serve_input_free(struct serve_conn *c)
{
    if (!c->input)
        return;
    buf_free(&c->input->bytes);
    serve_http_fini(&c->input->http);
    free(c->input);
    c->input = NULL;
}

void serve_conn_close(struct serve_conn *c)
{
    if (c->phase == SERVE_CLOSING)
        return;
    struct serve *s = c->s;
    list_remove(c->stream ? &s->streaming : &s->conns, c);
    serve_turn_forget(s, c);
    c->phase = SERVE_CLOSING;
    serve_stream_free(&c->stream);
    if (c->request)
        c->request->conn = NULL;
    c->request = NULL;
    if (!c->processing)
        serve_input_free(c);
    serve_address_drop(s, c);
    count(c, -1);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void serve_conn_linger(struct serve_conn *c)
{
    int fd;
    if (c->ended || c->s->stopping || uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0 ||
        shutdown(fd, SHUT_WR) != 0) {
        serve_conn_close(c);
        return;
    }
    c->phase = SERVE_LINGERING;
    c->deadline_ms = now_ms(c->s) + LINGER_MS;
}

/* --- requests ----------------------------------------------------------------------------- */

static bool has_bytes(const struct serve_conn *c)
{
    return c->input && c->input->at < c->input->bytes.len;
}

static void begin_request(struct serve_conn *c)
{
    c->phase = SERVE_RECEIVING;
    c->deadline_ms = now_ms(c->s) + c->s->set.header_timeout_ms;
}

/* "Expect: 100-continue": the client waits with its body for our word. */
static void send_continue(struct serve_conn *c)
{
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct serve_input *in = c->input;
    if (in->continued || !in->http.header_done || !in->http.request.expect_continue)
        return;
    in->continued = true;
    uv_buf_t b = uv_buf_init(text, sizeof text - 1);
    if (uv_try_write((uv_stream_t *)&c->tcp, &b, 1) != (int)sizeof text - 1)
        serve_conn_close(c);
}

/* Reads and dispatches one request; false: nothing more can be done now. */
static bool process_one(struct serve_conn *c)
{
    struct serve_input *in = c->input;
    enum serve_http_result r =
        serve_http_read(&in->http, in->bytes.data + in->at, in->bytes.len - in->at);
    if (r == SERVE_HTTP_MORE) {
        send_continue(c);
        return false;
    }
    c->phase = SERVE_ANSWERING;
    if (r == SERVE_HTTP_FAIL) {
        serve_route_bad(c, in->http.status, in->http.reason);
        return false;
    }
    size_t used = in->http.used;
    serve_route(c, &in->http.request);
    in->at += used;
    in->continued = false;
    serve_http_fini(&in->http);
    serve_http_init(&in->http);
    return c->phase == SERVE_IDLE;
}

static void tidy_input(struct serve_conn *c)
{
    struct serve_input *in = c->input;
    bool over =
        c->phase == SERVE_CLOSING || c->phase == SERVE_LINGERING || c->phase == SERVE_STREAMING;
    if (!in)
        return;
    if (over || (c->phase != SERVE_RECEIVING && !has_bytes(c))) {
        serve_input_free(c);
        return;
    }
    if (in->at == 0)
        return;
    memmove(in->bytes.data, in->bytes.data + in->at, in->bytes.len - in->at);
    in->bytes.len -= in->at;
    in->at = 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *b)
{
    struct serve_conn *c = (struct serve_conn *)(void *)handle;
    (void)suggested;
    *b = uv_buf_init(c->s->read_buf, SERVE_READ_SIZE);
}

/* A client that sends ahead of our answers is not read until they are written. */
static void pace_reading(struct serve_conn *c)
{
    bool busy = c->phase == SERVE_ANSWERING || c->phase == SERVE_WRITING || c->waiting;
    bool ahead = busy && c->input && c->input->bytes.len - c->input->at > AHEAD_MAX;
    if (ahead == c->paused || c->ended || c->phase == SERVE_CLOSING)
        return;
    c->paused = ahead;
    if (ahead)
        uv_read_stop((uv_stream_t *)&c->tcp);
    else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
        serve_conn_close(c);
}

static void process(struct serve_conn *c)
{
    if (c->processing || c->waiting)
        return;
    c->processing = true;
    for (int n = 0; has_bytes(c) && (c->phase == SERVE_IDLE || c->phase == SERVE_RECEIVING); n++) {
        if (n == REQUESTS_A_TURN || (c->phase == SERVE_IDLE && serve_turn_over(c->s))) {
            serve_turn_wait(c->s, c);
            break;
        }
        if (c->phase == SERVE_IDLE)
            begin_request(c);
        if (!process_one(c))
            break;
    }
    c->processing = false;
    tidy_input(c);
    pace_reading(c);
    if (c->ended && !c->waiting && (c->phase == SERVE_IDLE || c->phase == SERVE_RECEIVING))
        serve_conn_close(c);
}

void serve_conn_go_on(struct serve_conn *c)
{
    process(c);
}

static void take_bytes(struct serve_conn *c, const char *bytes, size_t len)
{
    if (c->phase == SERVE_STREAMING || c->phase == SERVE_LINGERING || c->phase == SERVE_CLOSING)
        return;
    if (!c->input) {
        c->input = mem_zalloc(sizeof *c->input);
        serve_http_init(&c->input->http);
    }
    buf_add(&c->input->bytes, bytes, len);
    process(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct serve_conn *c = (struct serve_conn *)(void *)stream;
    if (n > 0) {
        take_bytes(c, b->base, (size_t)n);
        return;
    }
    if (n == 0)
        return;
    bool waits = c->phase == SERVE_ANSWERING || c->phase == SERVE_WRITING || c->waiting;
    if (n == UV_EOF && waits) {
        c->ended = true; /* a client may close its side and still want the answer */
        return;
    }
    if (c->stream)
        serve_stream_failed(c->stream, (int)n);
    else
        serve_conn_close(c);
}

/* --- answers ------------------------------------------------------------------------------ */

static void answered(struct serve_conn *c)
{
    if (c->last || c->s->stopping) {
        serve_conn_linger(c);
        return;
    }
    c->phase = SERVE_IDLE;
    c->deadline_ms = now_ms(c->s) + c->s->set.idle_timeout_ms;
    list_remove(&c->s->conns, c);
    list_add(&c->s->conns, c);
    process(c);
}

static void out_free(struct serve_out *out)
{
    buf_free(&out->head);
    buf_free(&out->body);
    serve_frame_unref(&out->shared);
    free(out);
}

static void on_written(uv_write_t *write, int status)
{
    struct serve_out *out = (struct serve_out *)(void *)write;
    struct serve_conn *c = out->conn;
    out_free(out);
    if (c->phase == SERVE_CLOSING)
        return;
    if (status != 0)
        serve_conn_close(c);
    else
        answered(c);
}

/* Hands what try_write left over to libuv. */
static void send_rest(struct serve_conn *c, struct serve_out *out, uv_buf_t bufs[2], size_t sent)
{
    unsigned n = 0;
    for (int i = 0; i < 2; i++) {
        size_t skip = sent < bufs[i].len ? sent : bufs[i].len;
        sent -= skip;
        if (skip == bufs[i].len)
            continue;
        bufs[n++] = uv_buf_init(bufs[i].base + skip, (unsigned)(bufs[i].len - skip));
    }
    c->phase = SERVE_WRITING;
    c->deadline_ms = now_ms(c->s) + c->s->set.idle_timeout_ms;
    if (uv_write(&out->write, (uv_stream_t *)&c->tcp, bufs, n, on_written) != 0) {
        out_free(out);
        serve_conn_close(c);
        return;
    }
    c->queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
}

void serve_conn_send(struct serve_conn *c, struct buf *head, struct buf *body, const void *fixed,
                     size_t fixed_len, struct serve_frame *shared)
{
    char *bytes = fixed ? (char *)(uintptr_t)fixed : body->data;
    uv_buf_t bufs[2] = {uv_buf_init(head->data, (unsigned)head->len),
                        uv_buf_init(bytes, (unsigned)(fixed ? fixed_len : body->len))};
    size_t total = bufs[0].len + bufs[1].len;
    int n = uv_try_write((uv_stream_t *)&c->tcp, bufs, bufs[1].len ? 2 : 1);
    size_t sent = n > 0 ? (size_t)n : 0;
    metric_add(&serve_metric_bytes, (int64_t)total);
    if (sent < total && (n >= 0 || n == UV_EAGAIN)) {
        struct serve_out *out = mem_zalloc(sizeof *out);
        *out = (struct serve_out){.conn = c, .head = *head, .body = *body};
        out->shared = shared ? serve_frame_ref(shared) : NULL;
        *head = *body = (struct buf){0};
        send_rest(c, out, bufs, sent);
    } else if (sent < total) {
        serve_conn_close(c);
    } else {
        answered(c);
    }
    buf_free(head);
    buf_free(body);
}

/* --- accepting and deadlines -------------------------------------------------------------- */

void serve_conn_to_stream(struct serve_conn *c, struct serve_stream *st)
{
    list_remove(&c->s->conns, c);
    list_add(&c->s->streaming, c);
    c->stream = st;
    c->phase = SERVE_STREAMING;
}

/* Those who came and say nothing, or half a request, take nobody's place. */
static bool make_room(struct serve *s)
{
    struct serve_conn *c = s->conns.last;
    for (int n = 0; c && n < ROOM_LOOK; n++, c = c->prev)
        if (!c->admin && !c->refused && !c->waiting &&
            (c->phase == SERVE_IDLE || c->phase == SERVE_RECEIVING)) {
            metric_add(&serve_metric_displaced, 1);
            serve_conn_close(c);
            return true;
        }
    return false;
}

static bool is_full(struct serve *s, const struct serve_conn *c)
{
    if (c->admin)
        return s->admin_count >= ADMIN_MAX;
    return s->set.max_connections > 0 && s->conn_count >= s->set.max_connections && !make_room(s);
}

static void admit(struct serve *s, struct serve_conn *c)
{
    bool full = is_full(s, c);
    bool crowd = !full && !c->admin && !serve_address_take(s, c);
    c->refused = full || crowd;
    count(c, 1);
    list_add(&s->conns, c);
    c->phase = SERVE_IDLE;
    c->deadline_ms = now_ms(s) + s->set.idle_timeout_ms;
    if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
        serve_conn_close(c);
    } else if (c->refused) {
        metric_add(full ? &serve_metric_refused_total : &serve_metric_refused_address, 1);
        serve_refuse(s, c);
    }
}

void serve_conn_accept(uv_stream_t *listener, int status)
{
    struct serve *s = listener->data;
    if (status != 0) {
        log_warn("serve.accept_failed", "error=%s", uv_err_name(status));
        return;
    }
    if (serve_turn_over(s)) {
        serve_turn_accept_later(s, listener);
        return;
    }
    struct serve_conn *c = mem_zalloc(sizeof *c);
    c->s = s;
    c->admin = listener == (uv_stream_t *)&s->admin_listener;
    if (uv_tcp_init(s->loop, &c->tcp) != 0) {
        free(c);
        return;
    }
    s->handles++;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 || s->stopping) {
        c->phase = SERVE_CLOSING;
        uv_close((uv_handle_t *)&c->tcp, on_closed);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    admit(s, c);
}

static void expire(struct serve_conn *c, int64_t now)
{
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
    if (c->phase == SERVE_WRITING && queued < c->queued) {
        c->queued = queued;
        c->deadline_ms = now + c->s->set.idle_timeout_ms;
        return;
    }
    if (c->phase == SERVE_RECEIVING || c->phase == SERVE_WRITING)
        metric_add(&serve_metric_timeouts, 1);
    if (c->phase == SERVE_RECEIVING) {
        c->phase = SERVE_ANSWERING;
        serve_route_bad(c, 408, "request: took too long to arrive");
        tidy_input(c);
    } else {
        serve_conn_close(c);
    }
}

void serve_conn_sweep(struct serve *s, int64_t now)
{
    for (struct serve_conn *c = s->conns.first, *next; c; c = next) {
        next = c->next;
        if (c->phase != SERVE_ANSWERING && now >= c->deadline_ms)
            expire(c, now);
    }
    for (struct serve_conn *c = s->streaming.first, *next; c; c = next) {
        next = c->next;
        serve_stream_sweep(c->stream, now);
    }
}
