/* SPDX-License-Identifier: Apache-2.0 */
/* exchange/url: the exchange's base address, taken apart. Pure. */
#ifndef STOFKA_EXCHANGE_URL_H
#define STOFKA_EXCHANGE_URL_H

#include <stdbool.h>
#include <stddef.h>

struct exchange_url {
    bool tls;
    char host[128]; /* name or IPv4 address */
    int port;
    char base[192];      /* "https://api.upbit.com": what REST paths are put behind */
    char authority[160]; /* "api.upbit.com", "127.0.0.1:18080": the Host header, and for people */
};

/* "http[s]://host[:port][/]"; anything else (user, path, query, IPv6 literal) is refused. */
bool exchange_url_read(const char *text, struct exchange_url *out);

#endif
