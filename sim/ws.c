/* SPDX-License-Identifier: Apache-2.0 */
/* ws: RFC 6455 frames, permessage-deflate where offered, and the upgrade with Upbit's headers. */
#include "sim.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAX_MESSAGE (1u << 20)

enum { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct ws {
    bool deflate;
    z_stream pack, unpack;
    struct buf message; /* fragments so far */
    bool message_packed;
};

static void accept_key(const char *key, char out[32])
{
    char text[128];
    unsigned char sha[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int len = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    EVP_Digest(text, (size_t)len, sha, &n, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)out, sha, (int)n);
}

static void refuse(struct conn *c, const struct request *r, int status)
{
    struct buf body = {0};
    buf_put(&body, status == 429 ? "Too many API requests." : "Service Unavailable");
    http_reply(c, r, status, "text/plain;charset=UTF-8", "", &body);
    conn_finish(c);
    buf_free(&body);
}

static void open_deflate(struct ws *w)
{
    w->deflate = deflateInit2(&w->pack, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK &&
                 inflateInit2(&w->unpack, -15) == Z_OK;
}

/* The fault shows itself by turns as an answer 503 and as a reset before any answer. */
static bool upgrade_refused(struct conn *c, const struct request *r)
{
    struct sim *s = c->sim;
    int left = 0;
    if (fault_on(&s->faults, FAULT_REFUSE)) {
        if (s->connects++ & 1)
            conn_reset(c);
        else
            refuse(c, r, 503);
        return true;
    }
    int status = *r->origin ? limit_take(s, c->peer, "origin", 0, &left)
                            : limit_take(s, c->peer, "websocket", s->opt.connect_limit, &left);
    if (status)
        refuse(c, r, status);
    return status != 0;
}

void ws_upgrade(struct conn *c, const struct request *r)
{
    char accept[32];
    struct buf head = {0};
    if (strlen(r->key) > 40 || !*r->key) {
        refuse(c, r, 400);
        return;
    }
    if (upgrade_refused(c, r))
        return;
    accept_key(r->key, accept);
    c->ws = xcalloc(1, sizeof *c->ws);
    buf_printf(&head,
               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
               "Sec-WebSocket-Accept: %s\r\nremaining-req: group=websocket; min=300; sec=4\r\n"
               "limit-by-ip: Yes\r\n",
               accept);
    /* An offer that wants a window of its own on our side is declined: plain frames then. */
    if (!c->sim->opt.no_deflate && strstr(r->extensions, "permessage-deflate") &&
        !strstr(r->extensions, "server_max_window_bits")) {
        open_deflate(c->ws);
        buf_put(&head, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    }
    buf_put(&head, "\r\n");
    conn_write(c, head.p, head.len);
    buf_free(&head);
    feed_open(c);
    c->sim->connects++;
    sim_log("sim.connected peer=%s deflate=%d", c->peer, c->ws->deflate);
}

void ws_free(struct conn *c)
{
    if (c->ws->deflate) {
        deflateEnd(&c->ws->pack);
        inflateEnd(&c->ws->unpack);
    }
    buf_free(&c->ws->message);
    free(c->ws);
    c->ws = NULL;
}

void ws_send_raw(struct conn *c, int first_byte, const void *p, size_t n)
{
    unsigned char head[10] = {(unsigned char)first_byte};
    size_t len = 2;
    if (n < 126) {
        head[1] = (unsigned char)n;
    } else if (n < 65536) {
        head[1] = 126;
        head[2] = (unsigned char)(n >> 8);
        head[3] = (unsigned char)n;
        len = 4;
    } else {
        head[1] = 127;
        for (int i = 0; i < 8; i++)
            head[2 + i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
        len = 10;
    }
    conn_write(c, head, len);
    conn_write(c, p, n);
}

/* RFC 7692: a sync flush whose last four bytes 00 00 FF FF are left out. */
static void pack(struct ws *w, const void *p, size_t n, struct buf *out)
{
    char chunk[16384];
    w->pack.next_in = (Bytef *)(uintptr_t)p;
    w->pack.avail_in = (uInt)n;
    do {
        w->pack.next_out = (Bytef *)chunk;
        w->pack.avail_out = sizeof chunk;
        deflate(&w->pack, Z_SYNC_FLUSH);
        buf_bytes(out, chunk, sizeof chunk - w->pack.avail_out);
    } while (w->pack.avail_out == 0);
    out->len -= out->len >= 4 ? 4 : 0;
}

void ws_send(struct conn *c, int opcode, const void *p, size_t n)
{
    struct buf packed = {0};
    if (c->dead || !c->ws)
        return;
    if (c->ws->deflate && opcode < OP_CLOSE) {
        pack(c->ws, p, n, &packed);
        ws_send_raw(c, 0xC0 | opcode, packed.p, packed.len);
    } else {
        ws_send_raw(c, 0x80 | opcode, p, n);
    }
    buf_free(&packed);
}

void ws_send_close(struct conn *c, int code)
{
    unsigned char payload[2] = {(unsigned char)(code >> 8), (unsigned char)code};
    ws_send(c, OP_CLOSE, payload, 2);
}

static bool unpack(struct ws *w, struct buf *in, struct buf *out)
{
    char chunk[16384];
    int err = Z_OK;
    buf_bytes(in, "\0\0\xFF\xFF", 4);
    w->unpack.next_in = (Bytef *)in->p;
    w->unpack.avail_in = (uInt)in->len;
    do {
        w->unpack.next_out = (Bytef *)chunk;
        w->unpack.avail_out = sizeof chunk;
        err = inflate(&w->unpack, Z_SYNC_FLUSH);
        buf_bytes(out, chunk, sizeof chunk - w->unpack.avail_out);
    } while (err == Z_OK && w->unpack.avail_out == 0 && out->len < MAX_MESSAGE);
    return (err == Z_OK || err == Z_BUF_ERROR) && out->len < MAX_MESSAGE;
}

static void fail(struct conn *c, int code)
{
    ws_send_close(c, code);
    conn_finish(c);
}

static void on_message(struct conn *c)
{
    struct ws *w = c->ws;
    struct buf plain = {0};
    if (!w->message_packed) {
        feed_message(c, w->message.p ? w->message.p : "", w->message.len);
    } else if (unpack(w, &w->message, &plain)) {
        feed_message(c, plain.p ? plain.p : "", plain.len);
    } else {
        fail(c, 1007);
    }
    buf_free(&plain);
    w->message.len = 0;
}

static void on_frame(struct conn *c, int first, char *p, size_t n)
{
    struct ws *w = c->ws;
    int op = first & 15;
    if (op == OP_PING) {
        ws_send(c, OP_PONG, p, n);
    } else if (op == OP_CLOSE) {
        ws_send(c, OP_CLOSE, p, n < 2 ? 0 : 2);
        conn_finish(c);
    } else if (op <= OP_BINARY) {
        if (op != OP_CONTINUE) {
            w->message.len = 0;
            w->message_packed = first & 0x40;
        }
        buf_bytes(&w->message, p, n);
        if (w->message.len > MAX_MESSAGE)
            fail(c, 1009);
        else if (first & 0x80)
            on_message(c);
    } else if (op != OP_PONG) {
        fail(c, 1002);
    }
}

/* Bytes of the whole frame at the front of c->in, or 0 if more are needed. */
static size_t frame_size(const struct buf *in, size_t *head, size_t *payload)
{
    const unsigned char *p = (const unsigned char *)in->p;
    if (in->len < 2)
        return 0;
    size_t n = p[1] & 127;
    *head = n < 126 ? 2 : n == 126 ? 4 : 10;
    if (in->len < *head)
        return 0;
    if (n >= 126) {
        size_t width = *head - 2;
        n = 0;
        for (size_t i = 0; i < width; i++)
            n = n << 8 | p[2 + i];
    }
    if (n > MAX_MESSAGE)
        n = MAX_MESSAGE + 1;
    *head += p[1] & 128 ? 4 : 0;
    *payload = n;
    return in->len >= *head + n ? *head + n : 0;
}

void ws_input(struct conn *c)
{
    size_t head = 0, n = 0, whole;
    while (!c->dead && !c->finish && (whole = frame_size(&c->in, &head, &n)) > 0) {
        unsigned char *p = (unsigned char *)c->in.p;
        if (!(p[1] & 128)) {
            fail(c, 1002); /* a client must mask */
            return;
        }
        for (size_t i = 0; i < n; i++)
            p[head + i] ^= p[head - 4 + i % 4];
        int first = p[0];
        char *copy = xrealloc(NULL, n + 1);
        memcpy(copy, p + head, n);
        buf_drop(&c->in, whole);
        on_frame(c, first, copy, n);
        free(copy);
    }
    if (n > MAX_MESSAGE)
        conn_reset(c);
}
