/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/replay: a recording (app/record.h) put on the bus again, at its pace or quicker. On the loop.
 */
#ifndef STOFKA_APP_REPLAY_H
#define STOFKA_APP_REPLAY_H

#include <uv.h>

#include "app/feed.h"

struct replay;

struct replay_settings {
    uv_loop_t *loop;
    struct bus *bus;
    struct feed *feed;
    int64_t speed; /* recorded seconds in a real one; 0: as quick as it goes */
    void (*market)(void *ctx, const struct store_market *m);
    void (*done)(void *ctx, bool whole); /* whole false: the recording is damaged; logged */
    void *ctx;
};

/* Finds the folder's files. *base_is_trade: as recorded. ERR_CONFIG: none, or not a recording. */
enum err replay_open(const char *folder, struct replay **out, bool *base_is_trade,
                     struct buf *error) MUST_CHECK;
void replay_start(struct replay *r, const struct replay_settings *s);
void replay_stop(struct replay *r);
void replay_free(struct replay **r); /* after the loop */

#endif
