/* SPDX-License-Identifier: Apache-2.0 */
/* Who may connect: the limit for each address, and what the refused are told. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/impl.h"

enum { REFUSED_MAX = 64 }; /* being told politely at one time; others are just closed */

/* IPv4 whole, IPv6 by its /64: one host owns that many addresses. */
static bool address_key(const uv_tcp_t *tcp, uint8_t key[16])
{
    struct sockaddr_storage peer;
    int len = sizeof peer;
    memset(key, 0, 16);
    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &len) != 0)
        return false;
    if (peer.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&peer;
        memcpy(key + 12, &in->sin_addr, 4);
        key[10] = key[11] = 0xff;
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)&peer;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
        memcpy(key, &in6->sin6_addr, mapped ? 16 : 8);
    }
    return true;
}

static struct serve_address **bucket(struct serve *s, const uint8_t key[16])
{
    uint64_t x = 14695981039346656037u;
    for (int i = 0; i < 16; i++)
        x = (x ^ key[i]) * 1099511628211u;
    return &s->addresses[(x ^ (x >> 32)) % SERVE_ADDRESS_BUCKETS];
}

bool serve_address_take(struct serve *s, struct serve_conn *c)
{
    uint8_t key[16];
    int64_t max = s->set.max_connections_per_address;
    if (max <= 0 || !address_key(&c->tcp, key))
        return true;
    struct serve_address **at = bucket(s, key);
    struct serve_address *a = *at;
    while (a && memcmp(a->key, key, sizeof key) != 0)
        a = a->next;
    if (a && a->count >= max)
        return false;
    if (!a) {
        a = mem_zalloc(sizeof *a);
        memcpy(a->key, key, sizeof key);
        a->next = *at;
        *at = a;
    }
    a->count++;
    c->address = a;
    return true;
}

void serve_address_drop(struct serve *s, struct serve_conn *c)
{
    struct serve_address *a = c->address;
    c->address = NULL;
    if (!a || --a->count > 0)
        return;
    struct serve_address **at = bucket(s, a->key);
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    free(a);
}

void serve_refuse(struct serve *s, struct serve_conn *c)
{
    struct buf body = {0}, text = {0};
    serve_error_json(&body, "too_many_connections", "too many connections; try again later");
    buf_printf(&text,
               "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; "
               "charset=utf-8\r\nContent-Length: %zu\r\nRetry-After: 5\r\n%sConnection: close\r\n"
               "\r\n%s",
               body.len, s->any_origin ? "Access-Control-Allow-Origin: *\r\n" : "", body.data);
    uv_buf_t b = uv_buf_init(text.data, (unsigned)text.len);
    int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
    buf_free(&body);
    buf_free(&text);
    serve_metric_request(SERVE_ROUTE_NONE, 503);
    if (n < 0 || s->refused_count > REFUSED_MAX)
        serve_conn_close(c);
    else
        serve_conn_linger(c);
}
