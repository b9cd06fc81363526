/* SPDX-License-Identifier: Apache-2.0 */
#include "app/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { RETRY_MS = 250, PRUNE_ROWS = 2000, PRUNE_PAUSE_MS = 20, TROUBLE_MAX = 256 };

struct writer {
    struct store *store;
    struct writer_events events;
    uv_thread_t thread;
    uv_async_t wake; /* writer to loop */
    bool idle;       /* loop's: no batch is with the writer */
    bool waited;     /* loop's: for that batch, and in vain */
    uv_mutex_t lock; /* of what follows */
    uv_cond_t changed;
    struct batch *in, *done;
    bool done_stale; /* nothing of it was kept */
    bool closing;
    bool trouble_changed;
    char trouble[TROUBLE_MAX]; /* "" when all is well */
    int64_t prune_before_ms;   /* writer's own; 0: nothing to do */
};

static void set_trouble(struct writer *w, const char *text, size_t len)
{
    uv_mutex_lock(&w->lock);
    if (len > TROUBLE_MAX - 1)
        len = TROUBLE_MAX - 1;
    memcpy(w->trouble, text, len);
    w->trouble[len] = '\0';
    w->trouble_changed = true;
    uv_mutex_unlock(&w->lock);
    uv_async_send(&w->wake);
}

/* One slice at a time, so that batches never wait long. */
static void prune_slice(struct writer *w)
{
    struct buf error = {0};
    int64_t deleted = 0;
    enum err e =
        store_prune(w->store, INTERVAL_1S, w->prune_before_ms, PRUNE_ROWS, &deleted, &error);
    if (e != OK || deleted < PRUNE_ROWS)
        w->prune_before_ms = 0;
    if (e != OK)
        log_warn("store.prune_failed", "error=%s text=\"%s\"", err_text(e), error.data);
    buf_free(&error);
}

/* Waits between tries, but not once all is closing: then the try before was the last. */
static bool wait_before_retry(struct writer *w)
{
    uv_mutex_lock(&w->lock);
    if (!w->closing)
        uv_cond_timedwait(&w->changed, &w->lock, RETRY_MS * 1000000ull);
    bool again = !w->closing;
    uv_mutex_unlock(&w->lock);
    return again;
}

/* OK or ERR_STALE; else closing, and the last try failed. */
static enum err commit(struct writer *w, struct batch *b)
{
    struct buf error = {0};
    bool failed = false;
    enum err e;
    while ((e = store_apply(w->store, batch_view(b), &error)) != OK && e != ERR_STALE) {
        if (!failed)
            log_error("store.apply_failed", "error=\"%s\" text=\"%s\" rows=%zu", err_text(e),
                      error.data ? error.data : "", batch_rows(b));
        set_trouble(w, error.data ? error.data : err_text(e),
                    error.data ? error.len : strlen(err_text(e)));
        /* What no retry can heal (a damaged file, another's data) must not look like waiting. */
        REQUIRE(err_class(e) == ERR_CLASS_RETRY);
        failed = true;
        buf_clear(&error);
        if (!wait_before_retry(w))
            break;
    }
    buf_free(&error);
    if (failed && (e == OK || e == ERR_STALE)) {
        log_info("store.recovered", "rows=%zu", batch_rows(b));
        set_trouble(w, "", 0);
    }
    return e;
}

/* NULL: closing, or nothing within the pause of pruning. */
static struct batch *next_batch(struct writer *w, bool *closing)
{
    uv_mutex_lock(&w->lock);
    while (w->in == NULL && !w->closing && w->prune_before_ms == 0)
        uv_cond_wait(&w->changed, &w->lock);
    if (w->in == NULL && !w->closing)
        uv_cond_timedwait(&w->changed, &w->lock, PRUNE_PAUSE_MS * 1000000ull);
    struct batch *b = w->in;
    w->in = NULL;
    *closing = w->closing;
    uv_mutex_unlock(&w->lock);
    return b;
}

static void hand_back(struct writer *w, struct batch *b, bool stale)
{
    uv_mutex_lock(&w->lock);
    w->done = b;
    w->done_stale = stale;
    uv_cond_signal(&w->changed);
    uv_mutex_unlock(&w->lock);
    uv_async_send(&w->wake);
}

static void work(void *ctx)
{
    struct writer *w = ctx;
    for (;;) {
        bool closing;
        struct batch *b = next_batch(w, &closing);
        if (b == NULL && closing)
            return;
        if (b == NULL) {
            prune_slice(w);
            continue;
        }
        enum err e = commit(w, b);
        if (e != OK && e != ERR_STALE) {
            log_error("store.batch_dropped", "rows=%zu", batch_rows(b));
            batch_free(&b);
            return;
        }
        if (batch_prune_before(b))
            w->prune_before_ms = batch_prune_before(b);
        hand_back(w, b, e == ERR_STALE);
    }
}

static void on_wake(uv_async_t *handle)
{
    struct writer *w = handle->data;
    char text[TROUBLE_MAX];
    uv_mutex_lock(&w->lock);
    struct batch *b = w->done;
    bool trouble_changed = w->trouble_changed, stale = w->done_stale;
    memcpy(text, w->trouble, sizeof text);
    w->done = NULL;
    w->trouble_changed = false;
    uv_mutex_unlock(&w->lock);
    if (trouble_changed)
        w->events.trouble(w->events.ctx, text[0] ? text : NULL);
    if (b == NULL)
        return;
    w->idle = true;
    if (stale)
        w->events.stale(w->events.ctx, b);
    else
        w->events.done(w->events.ctx, b);
}

struct writer *writer_new(uv_loop_t *loop, struct store *store, const struct writer_events *events)
{
    struct writer *w = mem_zalloc(sizeof *w);
    w->store = store;
    w->events = *events;
    w->idle = true;
    uv_mutex_init(&w->lock);
    uv_cond_init(&w->changed);
    uv_async_init(loop, &w->wake, on_wake);
    w->wake.data = w;
    uv_thread_create(&w->thread, work, w);
    return w;
}

bool writer_idle(const struct writer *w)
{
    return w->idle;
}

void writer_take(struct writer *w, struct batch *b)
{
    REQUIRE(w->idle);
    w->idle = w->waited = false;
    uv_mutex_lock(&w->lock);
    w->in = b;
    uv_cond_signal(&w->changed);
    uv_mutex_unlock(&w->lock);
}

void writer_finish(struct writer *w)
{
    if (w->idle || w->waited)
        return;
    uv_mutex_lock(&w->lock);
    while (w->done == NULL && !w->waited)
        w->waited = uv_cond_timedwait(&w->changed, &w->lock, 1000000000ull) != 0;
    uv_mutex_unlock(&w->lock);
    on_wake(&w->wake);
}

void writer_stop(struct writer *w)
{
    uv_mutex_lock(&w->lock);
    w->closing = true;
    uv_cond_signal(&w->changed);
    uv_mutex_unlock(&w->lock);
    uv_thread_join(&w->thread);
    on_wake(&w->wake);
    uv_close((uv_handle_t *)&w->wake, NULL);
}

void writer_free(struct writer **w)
{
    if (*w == NULL)
        return;
    uv_cond_destroy(&(*w)->changed);
    uv_mutex_destroy(&(*w)->lock);
    free(*w);
    *w = NULL;
}
