/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct exchange_resolve {
    pthread_mutex_t lock;
    int refs;        /* the caller, the thread */
    bool done, left; /* left: the caller is gone */
    void (*wake)(void *ctx);
    void *ctx;
    char host[128];
    struct exchange_addresses found;
};

static void unref(struct exchange_resolve *r)
{
    int left;

    pthread_mutex_lock(&r->lock);
    left = --r->refs;
    pthread_mutex_unlock(&r->lock);
    if (left > 0)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void address_add(struct exchange_addresses *a, const struct addrinfo *info)
{
    if (a->count < RESOLVE_MAX && getnameinfo(info->ai_addr, info->ai_addrlen, a->at[a->count],
                                              RESOLVE_TEXT, NULL, 0, NI_NUMERICHOST) == 0)
        a->count++;
}

static void ask(const char *host, int flags, struct exchange_addresses *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
    int e = getaddrinfo(host, NULL, &hints, &list);

    for (const struct addrinfo *i = list; e == 0 && i != NULL; i = i->ai_next)
        address_add(out, i);
    if (e == 0)
        freeaddrinfo(list);
    if (out->count == 0)
        snprintf(out->error, sizeof(out->error), "%s",
                 e == EAI_SYSTEM ? strerror(errno) : gai_strerror(e));
}

static void *ask_thread(void *arg)
{
    struct exchange_resolve *r = arg;
    struct exchange_addresses found = {0};

    ask(r->host, AI_ADDRCONFIG, &found);
    pthread_mutex_lock(&r->lock);
    r->found = found;
    r->done = true;
    if (!r->left)
        r->wake(r->ctx);
    pthread_mutex_unlock(&r->lock);
    unref(r);
    return NULL;
}

static bool thread_start(struct exchange_resolve *r)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    int e;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    e = pthread_create(&thread, &attr, ask_thread, r);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return e == 0;
}

struct exchange_resolve *exchange_resolve_new(const char *host, void (*wake)(void *ctx), void *ctx)
{
    struct exchange_resolve *r = mem_zalloc(sizeof(*r));

    pthread_mutex_init(&r->lock, NULL);
    r->wake = wake;
    r->ctx = ctx;
    r->refs = 1;
    snprintf(r->host, sizeof(r->host), "%s", host);
    ask(host, AI_NUMERICHOST, &r->found);
    if (r->found.count > 0) {
        r->done = true;
        return r;
    }
    r->refs = 2;
    if (!thread_start(r)) {
        r->refs = 1;
        r->done = true;
        snprintf(r->found.error, sizeof(r->found.error), "no thread to ask with");
    }
    return r;
}

bool exchange_resolve_done(struct exchange_resolve *r, struct exchange_addresses *out)
{
    bool done;

    pthread_mutex_lock(&r->lock);
    done = r->done;
    if (done)
        *out = r->found;
    pthread_mutex_unlock(&r->lock);
    return done;
}

void exchange_resolve_free(struct exchange_resolve **r)
{
    if (*r == NULL)
        return;
    pthread_mutex_lock(&(*r)->lock);
    (*r)->left = true;
    pthread_mutex_unlock(&(*r)->lock);
    unref(*r);
    *r = NULL;
}

static int connect_error(int fd, const struct addrinfo *info)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int e = 0;
    socklen_t size = sizeof(e);

    if (connect(fd, info->ai_addr, info->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (poll(&p, 1, 50) <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &size) != 0)
        return 0;
    return e;
}

const char *exchange_connect_why(const char *address, int port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *info;
    char service[8];
    int fd, e = 0;

    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(address, service, &hints, &info) != 0)
        return "no answer";
    fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        e = connect_error(fd, info);
        close(fd);
    }
    freeaddrinfo(info);
    return e == ECONNREFUSED ? "connection refused" : e != 0 ? strerrordesc_np(e) : "no answer";
}
