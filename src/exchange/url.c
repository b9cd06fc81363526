/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool port_read(const char *text, int *out)
{
    int port = 0;

    if (*text == '\0' || strlen(text) > 5)
        return false;
    for (; *text != '\0'; text++) {
        if (!isdigit((unsigned char)*text))
            return false;
        port = port * 10 + (*text - '0');
    }
    *out = port;
    return port >= 1 && port <= 65535;
}

static bool host_valid(const char *host)
{
    if (*host == '\0' || *host == '.' || *host == '-')
        return false;
    for (; *host != '\0'; host++)
        if (!isalnum((unsigned char)*host) && *host != '.' && *host != '-')
            return false;
    return true;
}

static bool rest_read(struct exchange_url *u, const char *rest)
{
    size_t n = strcspn(rest, ":/");
    char tail[16];
    size_t tail_len = strlen(rest + n);

    if (n >= sizeof(u->host) || tail_len >= sizeof(tail))
        return false;
    memcpy(u->host, rest, n);
    u->host[n] = '\0';
    memcpy(tail, rest + n, tail_len + 1);
    if (tail_len > 0 && tail[tail_len - 1] == '/')
        tail[--tail_len] = '\0';
    if (tail_len == 0)
        return host_valid(u->host);
    return host_valid(u->host) && tail[0] == ':' && port_read(tail + 1, &u->port);
}

bool exchange_url_read(const char *text, struct exchange_url *out)
{
    struct exchange_url u = {.tls = strncmp(text, "https://", 8) == 0};
    int usual;

    if (!u.tls && strncmp(text, "http://", 7) != 0)
        return false;
    u.port = usual = u.tls ? 443 : 80;
    if (!rest_read(&u, text + (u.tls ? 8 : 7)))
        return false;
    if (u.port == usual)
        snprintf(u.authority, sizeof(u.authority), "%s", u.host);
    else
        snprintf(u.authority, sizeof(u.authority), "%s:%d", u.host, u.port);
    snprintf(u.base, sizeof(u.base), "%s://%s", u.tls ? "https" : "http", u.authority);
    *out = u;
    return true;
}
