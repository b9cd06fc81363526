/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: reading "host:port", binding, and telling what was bound. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/impl.h"

static bool parse_port(const char *text, int *port)
{
    char *end;
    long n = strtol(text, &end, 10);
    *port = (int)n;
    return *text >= '0' && *text <= '9' && *end == '\0' && n <= 65535;
}

/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080". */
static bool parse_address(const char *text, struct sockaddr_storage *out)
{
    char host[64] = {0};
    int port;
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (!colon || len == 0 || len >= sizeof host || !parse_port(colon + 1, &port))
        return false;
    bool six = text[0] == '[' && len > 2 && text[len - 1] == ']';
    memcpy(host, text + six, len - 2 * (size_t)six);
    if (six)
        return uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)out) == 0;
    const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    return uv_ip4_addr(name, port, (struct sockaddr_in *)(void *)out) == 0;
}

static int bind_socket(const struct sockaddr_storage *a)
{
    socklen_t len =
        a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int on = 1;
    int fd = socket(a->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Listening at once: a taken address is told now, not when the first client comes. */
    if (bind(fd, (const struct sockaddr *)a, len) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

enum err serve_listen_bind(const char *what, const char *text, int *fd, struct buf *error)
{
    struct sockaddr_storage a = {0};
    if (!parse_address(text, &a)) {
        buf_printf(error, "%s: an address and a port such as 127.0.0.1:8080 or [::1]:0; got \"%s\"",
                   what, text);
        return ERR_CONFIG;
    }
    *fd = bind_socket(&a);
    if (*fd >= 0)
        return OK;
    buf_printf(error, "%s: can't listen on %s: %s", what, text, strerror(errno));
    return ERR_IO;
}

void serve_listen_url(int fd, struct buf *out)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a = {.in6 = {0}};
    socklen_t len = sizeof a;
    char host[INET6_ADDRSTRLEN] = "";
    if (getsockname(fd, &a.any, &len) != 0)
        return;
    bool six = a.any.sa_family == AF_INET6;
    if (six)
        (void)inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof host);
    else
        (void)inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof host);
    buf_printf(out, six ? "http://[%s]:%d" : "http://%s:%d", host,
               ntohs(six ? a.in6.sin6_port : a.in.sin_port));
}
