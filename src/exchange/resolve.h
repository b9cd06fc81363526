/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/resolve: a name's addresses, asked without blocking the caller.
 *
 * getaddrinfo can take half a minute and can't be stopped, so a detached thread of its own asks;
 * whoever gives up first leaves the request to the other. wake is called once on that thread when
 * the answer is there, never after exchange_resolve_free. A numeric host is answered at once,
 * without thread and wake.
 */
#ifndef STOFKA_EXCHANGE_RESOLVE_H
#define STOFKA_EXCHANGE_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

enum { RESOLVE_MAX = 8, RESOLVE_TEXT = 48 };

struct exchange_resolve;

struct exchange_addresses {
    size_t count;
    char at[RESOLVE_MAX][RESOLVE_TEXT];
    char error[96]; /* why there is none */
};

struct exchange_resolve *exchange_resolve_new(const char *host, void (*wake)(void *ctx), void *ctx);
bool exchange_resolve_done(struct exchange_resolve *r, struct exchange_addresses *out);
void exchange_resolve_free(struct exchange_resolve **r);

/* After a connection failed without a word why: tries once more for at most 50 ms and says what
 * the system says ("connection refused", …); "no answer" otherwise. Blocks that long. */
const char *exchange_connect_why(const char *address, int port);

#endif
