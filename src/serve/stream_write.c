/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to SSE clients. One writev a flush; of what the socket does not take, only the rest of
 * one frame is kept (serve_rest), all else is collected anew once the socket drains.
 */
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "serve/impl.h"

enum {
    FLUSH_BYTES = 64 * 1024, /* of one client in one go */
    BEAT_SLACK_MS = 600,     /* the sweep's period and some: a comment is never late */
};

static void on_rest_written(uv_write_t *write, int status)
{
    struct serve_rest *rest = (struct serve_rest *)(void *)write;
    struct serve_stream *st = rest->stream;
    serve_frame_unref(&rest->frame);
    free(rest);
    if (!st)
        return;
    st->rest = NULL;
    if (status != 0)
        serve_stream_failed(st, status);
    else
        serve_fan_mark(st->conn->s, st);
}

/* false: the connection is closed. */
static bool write_rest(struct serve_stream *st, struct serve_frame *frame, size_t from)
{
    struct serve_rest *rest = mem_zalloc(sizeof *rest);
    uv_buf_t b = uv_buf_init(frame->bytes + from, (unsigned)(frame->len - from));
    rest->stream = st;
    rest->frame = serve_frame_ref(frame);
    st->rest = rest;
    st->blocked_ms = (int64_t)uv_now(st->conn->s->loop);
    if (uv_write(&rest->write, (uv_stream_t *)&st->conn->tcp, &b, 1, on_rest_written) == 0)
        return true;
    serve_frame_unref(&rest->frame);
    free(rest);
    st->rest = NULL;
    serve_conn_close(st->conn);
    return false;
}

static int try_write(struct serve_stream *st, const struct serve_batch *b)
{
    uv_buf_t bufs[SERVE_BATCH_PIECES];
    size_t n = b->block ? 1 : b->count;
    if (b->block)
        bufs[0] = uv_buf_init(b->block->bytes, b->block->len);
    for (size_t i = 0; !b->block && i < n; i++)
        bufs[i] = uv_buf_init(b->pieces[i].frame->bytes, b->pieces[i].frame->len);
    return uv_try_write((uv_stream_t *)&st->conn->tcp, bufs, (unsigned)n);
}

/* Writes; *pieces: those that left our hands (written, or the rest of one given to libuv). false:
 * the connection is closed. */
static bool write_batch(struct serve_stream *st, const struct serve_batch *b, size_t *pieces)
{
    int n = try_write(st, b);
    if (n < 0 && n != UV_EAGAIN) {
        serve_conn_close(st->conn);
        return false;
    }
    size_t sent = n > 0 ? (size_t)n : 0, i = 0;
    while (i < b->count && sent >= b->pieces[i].frame->len)
        sent -= b->pieces[i++].frame->len;
    *pieces = i < b->count ? i + 1 : i;
    return i == b->count || write_rest(st, b->pieces[i].frame, sent);
}

static void count_sent(const struct serve_batch *b, size_t pieces)
{
    int64_t events = 0, states = 0, bytes = 0;
    for (size_t i = 0; i < pieces; i++) {
        bytes += b->pieces[i].frame->len;
        events += b->pieces[i].change && b->pieces[i].id;
        states += b->pieces[i].sweep || (b->pieces[i].change && !b->pieces[i].id);
    }
    metric_add(&serve_metric_bytes, bytes);
    metric_add(&serve_metric_events, events);
    metric_add(&serve_metric_states, states);
}

static void sent(struct serve_stream *st, const struct serve_batch *b, size_t pieces)
{
    uint64_t conflated = serve_reader_commit(&st->reader, b, pieces);
    metric_add(&serve_metric_conflated, (int64_t)conflated);
    count_sent(b, pieces);
    if (pieces)
        serve_frame_unref(&st->opening);
    if (st->beat && pieces == b->count) {
        st->beat = false;
        st->beat_ms = (int64_t)uv_now(st->conn->s->loop);
    }
    if (!b->whole && !st->rest)
        serve_fan_mark(st->conn->s, st);
}

void serve_stream_write(struct serve_stream *st)
{
    struct serve_fan *fan = &st->conn->s->fan;
    size_t pieces;
    if (st->rest)
        return;
    if (serve_reader_overtaken(&st->reader)) {
        metric_add(&serve_metric_evicted_overtaken, 1);
        serve_stream_evict(st, "overtaken");
        return;
    }
    serve_reader_collect(&st->reader, FLUSH_BYTES, st->opening, st->beat ? fan->comment : NULL,
                         &fan->batch);
    if (fan->batch.count && write_batch(st, &fan->batch, &pieces))
        sent(st, &fan->batch, pieces);
}

/* --- slow clients ------------------------------------------------------------------------- */

static void write_last(struct serve_stream *st, const struct buf *text)
{
    uv_buf_t b = uv_buf_init(text->data, (unsigned)text->len);
    if (!st->rest && !st->opening)
        (void)uv_try_write((uv_stream_t *)&st->conn->tcp, &b, 1);
}

/* A socket that is closed with bytes in it stays in the kernel for as long as its peer does not
 * read them, and the peer hears of the end only behind them: there is nothing to wait for. */
static void drop_unsent(struct serve_stream *st)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    int fd;
    if (st->rest && uv_fileno((uv_handle_t *)&st->conn->tcp, &fd) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void serve_stream_evict(struct serve_stream *st, const char *reason)
{
    struct buf text = {0}, id = {0};
    serve_stream_id(st, &id);
    log_warn("serve.client_evicted", "reason=%s stream=%s", reason, id.data);
    buf_str(&text, "event: reset\ndata: {\"reason\":\"slow\",\"sub\":");
    serve_reader_subs_json(&st->reader, &text);
    buf_str(&text, "}\n\n");
    write_last(st, &text);
    buf_free(&text);
    buf_free(&id);
    drop_unsent(st);
    serve_conn_close(st->conn);
}

void serve_stream_failed(struct serve_stream *st, int error)
{
    if (error == UV_ETIMEDOUT) {
        metric_add(&serve_metric_evicted_gone, 1);
        log_warn("serve.client_evicted", "reason=gone");
    }
    serve_conn_close(st->conn);
}

/* Bytes that the client has not taken: in the kernel, half-written, and still to come. */
static bool too_much_unsent(struct serve_stream *st)
{
    size_t max = (size_t)st->conn->s->set.slow_bytes;
    size_t unsent = uv_stream_get_write_queue_size((uv_stream_t *)&st->conn->tcp);
    int fd, in_kernel;
    if (uv_fileno((uv_handle_t *)&st->conn->tcp, &fd) == 0 && ioctl(fd, SIOCOUTQ, &in_kernel) == 0)
        unsent += (size_t)in_kernel;
    return unsent > max || unsent + serve_reader_backlog(&st->reader, max) > max;
}

static void check_blocked(struct serve_stream *st, int64_t now_ms)
{
    if (serve_reader_overtaken(&st->reader)) {
        metric_add(&serve_metric_evicted_overtaken, 1);
        serve_stream_evict(st, "overtaken");
    } else if (now_ms - st->blocked_ms >= st->conn->s->set.slow_ms && too_much_unsent(st)) {
        metric_add(&serve_metric_evicted_slow, 1);
        serve_stream_evict(st, "slow");
    }
}

void serve_stream_sweep(struct serve_stream *st, int64_t now_ms)
{
    if (st->rest) {
        check_blocked(st, now_ms);
        return;
    }
    int64_t period = st->conn->s->set.heartbeat_ms;
    int64_t due = period > 2 * BEAT_SLACK_MS ? period - BEAT_SLACK_MS : period / 2;
    if (!st->beat && now_ms - st->beat_ms >= due) {
        st->beat = true;
        serve_fan_mark(st->conn->s, st);
    }
}

void serve_stream_farewell(struct serve_stream *st)
{
    struct buf text = {0};
    /* The token is random: its low bits spread the clients' return over 1 to 5 s. */
    buf_printf(&text, "retry: %d\n\n", 1000 + (int)(st->token % 4000));
    write_last(st, &text);
    buf_free(&text);
    serve_conn_close(st->conn);
}
