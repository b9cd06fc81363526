/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define MAX_QUEUED (64u << 20) /* a client this far behind is reset */
#define MAX_UNREAD (1u << 20)

struct write {
    uv_write_t req;
    char data[];
};

static void on_closed(uv_handle_t *h)
{
    struct conn *c = h->data;
    struct conn **at = &c->sim->conns;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    if (c->ssl)
        SSL_free(c->ssl);
    if (c->feed)
        feed_free(c);
    if (c->ws)
        ws_free(c);
    buf_free(&c->in);
    buf_free(&c->out);
    free(c);
}

void conn_close(struct conn *c)
{
    c->dead = true;
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void conn_reset(struct conn *c)
{
    c->dead = true;
    if (!uv_is_closing((uv_handle_t *)&c->tcp) && uv_tcp_close_reset(&c->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void conn_finish(struct conn *c)
{
    c->finish = true;
    conn_flush(c);
    if (!c->writes && !c->out.len && !c->dead)
        conn_close(c);
}

static void on_written(uv_write_t *req, int status)
{
    struct conn *c = req->handle->data;
    free(req);
    c->writes--;
    if (status < 0 || (c->finish && !c->writes && !c->out.len))
        conn_close(c);
}

static void write_socket(struct conn *c, const char *p, size_t n)
{
    struct write *w = xrealloc(NULL, sizeof *w + n);
    memcpy(w->data, p, n);
    uv_buf_t b = uv_buf_init(w->data, (unsigned)n);
    c->writes++;
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &b, 1, on_written) != 0) {
        c->writes--;
        free(w);
        conn_close(c);
    }
}

static void tls_drain(struct conn *c)
{
    char chunk[16384];
    int n;
    while (!c->dead && (n = BIO_read(SSL_get_wbio(c->ssl), chunk, sizeof chunk)) > 0)
        write_socket(c, chunk, (size_t)n);
}

void conn_write(struct conn *c, const void *p, size_t n)
{
    if (!c->dead)
        buf_bytes(&c->out, p, n);
}

void conn_flush(struct conn *c)
{
    if (c->dead || !c->out.len || c->stall_until > (int64_t)uv_now(&c->sim->loop))
        return;
    if (uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) > MAX_QUEUED) {
        sim_log("sim.client_too_slow peer=%s", c->peer);
        conn_reset(c);
        return;
    }
    if (!c->ssl) {
        write_socket(c, c->out.p, c->out.len);
        c->out.len = 0;
        return;
    }
    if (!SSL_is_init_finished(c->ssl))
        return;
    if (SSL_write(c->ssl, c->out.p, (int)c->out.len) <= 0) {
        conn_close(c);
        return;
    }
    c->out.len = 0;
    tls_drain(c);
}

static void input(struct conn *c)
{
    if (c->in.len > MAX_UNREAD) {
        conn_reset(c);
        return;
    }
    if (c->ws)
        ws_input(c);
    else
        http_input(c);
    if (!c->dead)
        conn_flush(c);
}

static void tls_input(struct conn *c, const char *p, size_t n)
{
    char chunk[16384];
    int got;
    BIO_write(SSL_get_rbio(c->ssl), p, (int)n);
    while ((got = SSL_read(c->ssl, chunk, sizeof chunk)) > 0)
        buf_bytes(&c->in, chunk, (size_t)got);
    int err = SSL_get_error(c->ssl, got);
    tls_drain(c);
    ERR_clear_error();
    if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE)
        conn_close(c);
}

static void on_alloc(uv_handle_t *h, size_t n, uv_buf_t *out)
{
    static char chunk[65536]; /* one loop, and every read is copied before the next */
    (void)h;
    (void)n;
    *out = uv_buf_init(chunk, sizeof chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct conn *c = stream->data;
    if (n < 0) {
        conn_close(c);
        return;
    }
    if (n == 0)
        return;
    c->last_active = (int64_t)uv_now(&c->sim->loop);
    if (c->ssl)
        tls_input(c, b->base, (size_t)n);
    else
        buf_bytes(&c->in, b->base, (size_t)n);
    if (!c->dead && c->in.len)
        input(c);
}

static void remember_peer(struct conn *c)
{
    struct sockaddr_storage a;
    int n = sizeof a;
    if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&a, &n) == 0)
        uv_ip_name((struct sockaddr *)&a, c->peer, sizeof c->peer);
}

static void on_connect(uv_stream_t *listener, int status)
{
    struct sim *s = listener->data;
    if (status < 0)
        return;
    struct conn *c = xcalloc(1, sizeof *c);
    c->sim = s;
    uv_tcp_init(&s->loop, &c->tcp);
    c->tcp.data = c;
    c->last_active = (int64_t)uv_now(&s->loop);
    c->next = s->conns;
    s->conns = c;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0) {
        conn_close(c);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    remember_peer(c);
    if (listener == (uv_stream_t *)&s->tls_listener) {
        c->ssl = SSL_new(s->tls);
        SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(c->ssl);
    }
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static bool listen_on(struct sim *s, uv_tcp_t *l, int *port)
{
    struct sockaddr_storage a;
    int n = sizeof a, err = uv_ip4_addr(s->opt.host, *port, (struct sockaddr_in *)&a);
    if (err)
        err = uv_ip6_addr(s->opt.host, *port, (struct sockaddr_in6 *)&a);
    uv_tcp_init(&s->loop, l);
    l->data = s;
    if (!err)
        err = uv_tcp_bind(l, (struct sockaddr *)&a, 0);
    if (!err)
        err = uv_listen((uv_stream_t *)l, 1024, on_connect);
    if (err) {
        fprintf(stderr, "stofka-sim: %s port %d: %s\n", s->opt.host, *port, uv_strerror(err));
        return false;
    }
    uv_tcp_getsockname(l, (struct sockaddr *)&a, &n);
    *port = ntohs(((struct sockaddr_in *)&a)->sin_port); /* same place in both families */
    return true;
}

static bool tls_open(struct sim *s)
{
    s->tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION);
    if (SSL_CTX_use_certificate_chain_file(s->tls, s->opt.cert) == 1 &&
        SSL_CTX_use_PrivateKey_file(s->tls, s->opt.key, SSL_FILETYPE_PEM) == 1)
        return true;
    fprintf(stderr, "stofka-sim: no PEM certificate in %s with its key in %s\n", s->opt.cert,
            s->opt.key);
    return false;
}

bool net_open(struct sim *s)
{
    if (!listen_on(s, &s->listener, &s->opt.port))
        return false;
    if (s->opt.tls_port < 0)
        return true;
    return tls_open(s) && listen_on(s, &s->tls_listener, &s->opt.tls_port);
}

void net_close(struct sim *s)
{
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        conn_close(c);
    }
    uv_close((uv_handle_t *)&s->listener, NULL);
    if (s->opt.tls_port >= 0)
        uv_close((uv_handle_t *)&s->tls_listener, NULL);
}
