/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fan_raw: what a machine can give at most: a bare epoll server that pushes serve_probe's frames.
 *
 *     fan_raw MARKETS EVENTS_PER_S FLUSH_MS
 *
 * No HTTP but the path's sub=candle.1s:KRW-M<n>; no limits, no resuming, no conflation, no
 * fairness. Frames are made once and shared; each client gets one writev for all that gathered in
 * FLUSH_MS. Says its port on standard output; ends with its standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "serve_made.h"

enum { IOV = 1024, KEYS_MAX = 16 };

struct frame {
    unsigned refs;
    size_t len;
    char bytes[];
};

struct client {
    int fd;
    bool blocked, queued, opened;
    size_t sent; /* of the first pending frame */
    struct frame **pending;
    size_t first, count, cap; /* a ring */
};

struct key {
    struct client **clients;
    size_t count, cap;
};

struct server {
    int poll_fd, listen_fd;
    bool begun;
    struct key *keys;
    int64_t markets, rate, made, started_ms, flush_ms, flushed_ms;
    struct client **queue; /* those with something pending */
    size_t queue_count, queue_cap;
};

static void watch(struct server *s, int fd, void *ptr, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = ptr};
    REQUIRE(epoll_ctl(s->poll_fd, EPOLL_CTL_ADD, fd, &e) == 0);
}

static void drop_frame(struct frame *f)
{
    if (--f->refs == 0)
        free(f);
}

static void push(struct server *s, struct client *c, struct frame *f)
{
    if (c->count == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 8;
        struct frame **grown = mem_array(NULL, cap, sizeof *grown);
        for (size_t i = 0; i < c->count; i++)
            grown[i] = c->pending[(c->first + i) % c->cap];
        free(c->pending);
        c->pending = grown;
        c->first = 0;
        c->cap = cap;
    }
    c->pending[(c->first + c->count++) % c->cap] = f;
    f->refs++;
    if (c->queued)
        return;
    if (s->queue_count == s->queue_cap) {
        s->queue_cap = s->queue_cap ? 2 * s->queue_cap : 1024;
        s->queue = mem_array(s->queue, s->queue_cap, sizeof *s->queue);
    }
    s->queue[s->queue_count++] = c;
    c->queued = true;
}

static struct frame *make_frame(const char *code, int64_t seq)
{
    struct buf b = {0};
    buf_printf(&b, "id: probe:%" PRId64 ".1\nevent: candle\ndata: ", seq);
    made_candle_json(&b, code, seq);
    buf_str(&b, "\n\n");
    struct frame *f = mem_alloc(sizeof *f + b.len);
    f->refs = 1;
    f->len = b.len;
    memcpy(f->bytes, b.data, b.len);
    buf_free(&b);
    return f;
}

static void make_due(struct server *s)
{
    int64_t due = (clock_mono_ms() - s->started_ms) * s->rate / 1000;
    for (; s->made < due; s->made++) {
        char code[32];
        const struct key *k = &s->keys[s->made % s->markets];
        snprintf(code, sizeof code, "KRW-M%d", (int)(s->made % s->markets));
        struct frame *f = make_frame(code, s->made + 1);
        for (size_t i = 0; i < k->count; i++)
            push(s, k->clients[i], f);
        drop_frame(f);
    }
}

/* Takes what was written off the client's list. */
static void written(struct client *c, size_t n)
{
    n += c->sent;
    while (c->count && n >= c->pending[c->first]->len) {
        n -= c->pending[c->first]->len;
        drop_frame(c->pending[c->first]);
        c->first = (c->first + 1) % c->cap;
        c->count--;
    }
    c->sent = n;
}

static void write_client(struct client *c)
{
    struct iovec iov[IOV];
    while (c->count && !c->blocked) {
        int n = 0;
        for (size_t i = 0; i < c->count && n < IOV; i++, n++) {
            const struct frame *f = c->pending[(c->first + i) % c->cap];
            size_t skip = i ? 0 : c->sent;
            iov[n] = (struct iovec){(char *)(uintptr_t)f->bytes + skip, f->len - skip};
        }
        ssize_t len = writev(c->fd, iov, n);
        if (len < 0)
            c->blocked = true;
        else
            written(c, (size_t)len);
    }
}

static void flush(struct server *s)
{
    for (size_t i = 0; i < s->queue_count; i++) {
        s->queue[i]->queued = false;
        write_client(s->queue[i]);
    }
    s->queue_count = 0;
}

static void open_client(struct server *s, struct client *c, const char *text)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    for (const char *at = text; (at = strstr(at, "KRW-M")) != NULL; at++) {
        struct key *k = &s->keys[strtoll(at + 5, NULL, 10) % s->markets];
        if (k->count == k->cap) {
            k->cap = k->cap ? 2 * k->cap : 64;
            k->clients = mem_array(k->clients, k->cap, sizeof *k->clients);
        }
        k->clients[k->count++] = c;
    }
    c->opened = write(c->fd, head, sizeof head - 1) > 0;
}

static void on_client(struct server *s, struct client *c, uint32_t events)
{
    char text[2048];
    ssize_t n = events & EPOLLIN ? read(c->fd, text, sizeof text - 1) : -1;
    if (n > 0 && !c->opened) {
        text[n] = '\0';
        open_client(s, c, text);
    }
    if (n == 0) {
        epoll_ctl(s->poll_fd, EPOLL_CTL_DEL, c->fd, NULL);
        c->blocked = true;
    } else if (events & EPOLLOUT && c->blocked) {
        c->blocked = false;
        write_client(c);
    }
}

static void take_clients(struct server *s)
{
    int on = 1, fd;
    while ((fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct client *c = mem_zalloc(sizeof *c);
        c->fd = fd;
        watch(s, fd, c, EPOLLIN | EPOLLOUT | EPOLLET);
    }
}

static bool take_word(struct server *s)
{
    char word;
    s->begun = true;
    s->started_ms = clock_mono_ms();
    return read(0, &word, 1) > 0;
}

static bool turn(struct server *s)
{
    struct epoll_event ready[512];
    int n = epoll_wait(s->poll_fd, ready, 512, 1);
    for (int i = 0; i < n; i++) {
        if (ready[i].data.ptr == s)
            take_clients(s);
        else if (ready[i].data.ptr == NULL)
            return take_word(s);
        else
            on_client(s, ready[i].data.ptr, ready[i].events);
    }
    if (s->begun)
        make_due(s);
    if (clock_mono_ms() - s->flushed_ms >= s->flush_ms) {
        s->flushed_ms = clock_mono_ms();
        flush(s);
    }
    return true;
}

static void listen_any(struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    REQUIRE(bind(s->listen_fd, (struct sockaddr *)&a, sizeof a) == 0);
    REQUIRE(listen(s->listen_fd, 4096) == 0);
    REQUIRE(getsockname(s->listen_fd, (struct sockaddr *)&a, &len) == 0);
    printf("port=%d\n", ntohs(a.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: fan_raw MARKETS EVENTS_PER_S FLUSH_MS\n", stderr);
        return 2;
    }
    struct server s = {
        .markets = atoll(argv[1]), .rate = atoll(argv[2]), .flush_ms = atoll(argv[3])};
    signal(SIGPIPE, SIG_IGN);
    s.keys = mem_zalloc((size_t)s.markets * sizeof *s.keys);
    s.poll_fd = epoll_create1(0);
    s.flushed_ms = clock_mono_ms();
    listen_any(&s);
    watch(&s, s.listen_fd, &s, EPOLLIN);
    watch(&s, 0, NULL, EPOLLIN);
    while (turn(&s))
        ;
    return 0;
}
