/* SPDX-License-Identifier: Apache-2.0 */
/* The server: opening, starting, stopping; and what changes, handed on to the hub. */
#include "serve/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "serve/impl.h"

enum { SWEEP_MS = 250, STOP_MS = 500, BACKLOG = SOMAXCONN };

/* --- opening ------------------------------------------------------------------------------ */

static void split_origins(struct serve *s)
{
    char *at = s->cors;
    s->any_origin = strcmp(s->cors, "*") == 0;
    while (at && *at) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        while (*at == ' ')
            at++;
        s->origins = mem_array(s->origins, s->origin_count + 1, sizeof *s->origins);
        s->origins[s->origin_count++] = at;
        at = comma ? comma + 1 : NULL;
    }
}

static void copy_settings(struct serve *s, const struct serve_settings *set)
{
    s->set = *set;
    s->listen = mem_strdup(set->listen);
    s->admin = mem_strdup(set->admin ? set->admin : "");
    s->cors = mem_strdup(set->cors_origins ? set->cors_origins : "");
    s->version = mem_strdup(set->version ? set->version : "");
    s->set.listen = s->listen;
    s->set.admin = s->admin;
    s->set.cors_origins = s->cors;
    s->set.version = s->version;
    split_origins(s);
    snprintf(s->source_name, sizeof s->source_name, "%s",
             source_name(set->simulated ? SOURCE_SIMULATED : SOURCE_UPBIT));
}

enum err serve_open(uv_loop_t *loop, const struct serve_settings *set,
                    const struct serve_source *source, struct serve **out, struct buf *error)
{
    struct serve *s = mem_zalloc(sizeof *s);
    REQUIRE(set->flush_ms > 0 && set->heartbeat_ms > 0 && set->ring_events > 0);
    s->loop = loop;
    s->source = *source;
    s->listen_fd = s->admin_fd = -1;
    copy_settings(s, set);
    serve_hub_init(&s->hub, (size_t)set->ring_events, (size_t)set->ring_bytes);
    s->hub.source = &s->source;
    s->hub.wake = serve_fan_wake;
    s->hub.wake_ctx = s;
    s->read_buf = mem_alloc(SERVE_READ_SIZE);
    s->fan.comment = serve_frame_bytes(":\n\n", 3);
    enum err e = OK;
    if (s->listen[0])
        e = serve_listen_bind("serve.listen", s->listen, &s->listen_fd, error);
    if (e == OK && s->admin[0])
        e = serve_listen_bind("serve.admin", s->admin, &s->admin_fd, error);
    if (e)
        serve_free(&s);
    else
        *out = s;
    return e;
}

/* --- starting ----------------------------------------------------------------------------- */

static void on_sweep(uv_timer_t *timer)
{
    struct serve *s = timer->data;
    serve_conn_sweep(s, (int64_t)uv_now(s->loop));
    metric_set(&serve_metric_ring, (int64_t)s->hub.ring.count);
}

static enum err start_listener(struct serve *s, uv_tcp_t *tcp, int *fd)
{
    if (uv_tcp_init(s->loop, tcp) != 0)
        return ERR_IO;
    s->handles++;
    tcp->data = s;
    if (uv_tcp_open(tcp, *fd) != 0)
        return ERR_IO;
    *fd = -1;
    return uv_listen((uv_stream_t *)tcp, BACKLOG, serve_conn_accept) == 0 ? OK : ERR_IO;
}

static void log_listening(const struct buf *url, const struct buf *admin)
{
    struct buf text = {0};
    if (url->len)
        buf_printf(&text, " url=%s", url->data);
    if (admin->len)
        buf_printf(&text, " admin=%s", admin->data);
    log_info("serve.listening", "%s", text.len ? text.data + 1 : "");
    buf_free(&text);
}

enum err serve_start(struct serve *s, struct buf *error)
{
    struct buf url = {0}, admin = {0};
    bool with_public = s->listen_fd >= 0, with_admin = s->admin_fd >= 0;
    if (with_public)
        serve_listen_url(s->listen_fd, &url);
    if (with_admin)
        serve_listen_url(s->admin_fd, &admin);
    enum err e = serve_fan_open(s);
    if (e == OK)
        e = serve_turn_open(s);
    if (e == OK && uv_timer_init(s->loop, &s->sweep) == 0) {
        s->handles++;
        s->sweep.data = s;
        s->started = true;
        if (with_public)
            e = start_listener(s, &s->listener, &s->listen_fd);
    }
    if (e == OK && with_admin)
        e = start_listener(s, &s->admin_listener, &s->admin_fd);
    if (e == OK) {
        uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
        log_listening(&url, &admin);
    } else {
        buf_str(error, "serve: the event loop refused the listener");
    }
    buf_free(&url);
    buf_free(&admin);
    return e;
}

/* --- stopping ----------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    serve_handle_closed(handle->data);
}

static void close_timers(struct serve *s)
{
    if (s->timers_closed)
        return;
    s->timers_closed = true;
    uv_close((uv_handle_t *)&s->sweep, on_handle_closed);
    serve_fan_close(s, on_handle_closed);
    serve_turn_close(s, on_handle_closed);
}

static void stopped(struct serve *s)
{
    void (*done)(void *) = s->done;
    log_info("serve.stopped", "%s", "");
    s->done = NULL;
    if (done)
        done(s->done_ctx);
}

void serve_handle_closed(struct serve *s)
{
    s->handles--;
    if (!s->stopping)
        return;
    if (!s->conns.first && !s->streaming.first)
        close_timers(s);
    if (s->handles == 0)
        stopped(s);
}

static void on_stop_deadline(uv_timer_t *timer)
{
    struct serve *s = timer->data;
    while (s->conns.first)
        serve_conn_close(s->conns.first);
    close_timers(s);
}

/* Requests under way may end; everything else is closed now. */
static void close_idle(struct serve *s)
{
    for (struct serve_conn *c = s->conns.first, *next; c; c = next) {
        next = c->next;
        if (c->phase != SERVE_ANSWERING && c->phase != SERVE_WRITING)
            serve_conn_close(c);
    }
    for (struct serve_conn *c = s->streaming.first, *next; c; c = next) {
        next = c->next;
        serve_stream_farewell(c->stream);
    }
}

static void close_listener(uv_tcp_t *tcp)
{
    if (tcp->data && !uv_is_closing((uv_handle_t *)tcp))
        uv_close((uv_handle_t *)tcp, on_handle_closed);
}

void serve_stop(struct serve *s, void (*done)(void *ctx), void *ctx)
{
    REQUIRE(!s->stopping);
    s->stopping = true;
    s->done = done;
    s->done_ctx = ctx;
    if (!s->started) {
        stopped(s);
        return;
    }
    close_listener(&s->listener);
    close_listener(&s->admin_listener);
    close_idle(s);
    uv_timer_start(&s->sweep, on_stop_deadline, STOP_MS, 0);
    if (!s->conns.first && !s->streaming.first)
        close_timers(s);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void serve_free(struct serve **sp)
{
    struct serve *s = *sp;
    if (!s)
        return;
    REQUIRE(s->handles == 0);
    close_fd(s->listen_fd);
    close_fd(s->admin_fd);
    serve_hub_fini(&s->hub);
    serve_encoded_fini(&s->encoded);
    serve_frame_unref(&s->fan.comment);
    serve_batch_clear(&s->fan.batch);
    free(s->read_buf);
    free(s->ids);
    free(s->origins);
    free(s->listen);
    free(s->admin);
    free(s->cors);
    free(s->version);
    free(s);
    *sp = NULL;
}

/* --- what changes ------------------------------------------------------------------------- */

void serve_lanes(struct serve *s, int32_t lanes)
{
    serve_hub_lanes(&s->hub, lanes);
}

void serve_epoch(struct serve *s, const char *epoch)
{
    serve_hub_epoch(&s->hub, epoch);
}

void serve_start_at(struct serve *s, int32_t lane, uint64_t seq)
{
    serve_hub_start(&s->hub, lane, seq);
}

void serve_market(struct serve *s, const char *code, const char *korean_name,
                  const char *english_name, bool listed)
{
    serve_hub_market(&s->hub, code, korean_name, english_name, listed);
}

void serve_ticker(struct serve *s, const char *code, const char *json, size_t len, int64_t price)
{
    serve_hub_ticker(&s->hub, code, json, len, price);
}

void serve_forming(struct serve *s, const char *code, enum interval i, const struct candle *c)
{
    serve_hub_forming(&s->hub, code, i, c);
}

void serve_event(struct serve *s, const struct serve_event *e)
{
    serve_hub_event(&s->hub, e);
}

void serve_released(struct serve *s, int32_t lane, uint64_t seq)
{
    serve_hub_released(&s->hub, lane, seq);
}

void serve_status(struct serve *s, const char *json, size_t len)
{
    serve_stream_note_status(s, json, len);
    serve_hub_status(&s->hub, json, len);
}
