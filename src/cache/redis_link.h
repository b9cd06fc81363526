/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache/redis_link: one connection to Redis on the loop. Made again by itself when it breaks, at
 * growing intervals. Each question has an answer within REDIS_ANSWER_MS, or none: the cache is
 * there to be fast. Loop thread; nothing blocks.
 */
#ifndef STOFKA_CACHE_REDIS_LINK_H
#define STOFKA_CACHE_REDIS_LINK_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"

enum { REDIS_ANSWER_MS = 250, REDIS_ASKED_MAX = 1024 };

struct redis_link;

/* NULL: no answer in time, no connection, or an error (which was logged). */
typedef void redis_answer_f(void *ctx, const redisReply *answer);

/* greeting runs on each new connection before anything else. Texts are copied. */
struct redis_link *redis_link_new(uv_loop_t *loop, const char *host, int port, int database);
void redis_link_greet(struct redis_link *l, int count, const char *const *words);
/* All that is open is answered with NULL before it returns; nothing more is asked, and no handle is
 * left to keep the loop running. */
void redis_link_close(struct redis_link *l);
/* After that. */
void redis_link_free(struct redis_link **l);

/* answer (may be NULL) is called later, or at once with NULL where there is no connection or
 * REDIS_ASKED_MAX questions are open. false: it was not sent. lens NULL: texts. */
bool redis_link_ask(struct redis_link *l, int count, const char *const *words, const size_t *lens,
                    redis_answer_f *answer, void *ctx);

/* Begins anew, greeting and all: for who could not say what must be said. */
void redis_link_reset(struct redis_link *l);

void redis_link_metrics_register(void);

#endif
