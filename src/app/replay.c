/* SPDX-License-Identifier: Apache-2.0 */
#include "app/replay.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/gz_file.h"
#include "app/record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { TICK_MS = 10, TURN_MESSAGES = 2000, PENDING_MAX = 100000 };

struct replay {
    struct replay_settings s;
    char *folder;
    struct dirent **names;
    int count, next; /* next: the file to open after the current one */
    FILE *file;
    char *text; /* of line */
    size_t cap;
    struct record_line line;
    bool held; /* line waits for its time, or for room on the bus */
    bool started;
    int64_t first_ms; /* recorded */
    int64_t began_ms; /* monotonic */
    int64_t messages, line_number;
    uv_timer_t timer;
};

/* --- reading ---------------------------------------------------------------------------- */

static int is_recording(const struct dirent *d)
{
    static const char end[] = ".jsonl.gz";
    size_t len = strlen(d->d_name);
    return len >= sizeof end && strcmp(d->d_name + len - (sizeof end - 1), end) == 0;
}

static bool open_next(struct replay *r)
{
    struct buf path = {0};
    if (r->next == r->count)
        return false;
    buf_printf(&path, "%s/%s", r->folder, r->names[r->next++]->d_name);
    r->file = gz_file_open(path.data);
    r->line_number = 0;
    buf_free(&path);
    return r->file != NULL;
}

/* A process that was killed leaves a file without its end: what is whole of it counts. */
static bool file_ends(struct replay *r)
{
    if (ferror(r->file))
        log_warn("replay.cut_off", "file=%s line=%lld", r->names[r->next - 1]->d_name,
                 (long long)r->line_number);
    fclose(r->file);
    r->file = NULL;
    return true;
}

/* OK: r->line is the next one. ERR_NOT_FOUND: there is none. ERR_INVALID: logged. */
static enum err read_line(struct replay *r)
{
    for (;;) {
        if (r->file == NULL && !open_next(r))
            return r->next == r->count ? ERR_NOT_FOUND : ERR_INVALID;
        ssize_t len = getline(&r->text, &r->cap, r->file);
        if (len < 0 || r->text[len - 1] != '\n') {
            file_ends(r);
            continue;
        }
        r->line_number++;
        if (record_line_read(r->text, (size_t)len - 1, &r->line) == OK)
            return OK;
        log_error("replay.bad_line", "file=%s line=%lld", r->names[r->next - 1]->d_name,
                  (long long)r->line_number);
        return ERR_INVALID;
    }
}

enum err replay_open(const char *folder, struct replay **out, bool *base_is_trade,
                     struct buf *error)
{
    struct replay *r = mem_zalloc(sizeof *r);
    r->folder = mem_strdup(folder);
    r->count = scandir(folder, &r->names, is_recording, alphasort);
    if (r->count <= 0) {
        buf_printf(error, "no recording (files *.jsonl.gz) in \"%s\"%s%s", folder,
                   r->count < 0 ? ": " : "", r->count < 0 ? strerror(errno) : "");
    } else if (read_line(r) != OK || r->line.kind != RECORD_HEADER) {
        buf_printf(error, "\"%s/%s\" is not a recording", folder, r->names[0]->d_name);
    } else {
        *base_is_trade = r->line.base_is_trade;
        *out = r;
        return OK;
    }
    replay_free(&r);
    return ERR_CONFIG;
}

/* --- playing ---------------------------------------------------------------------------- */

static void finish(struct replay *r, bool whole)
{
    uv_timer_stop(&r->timer);
    log_info("replay.done", "messages=%lld whole=%s", (long long)r->messages,
             whole ? "true" : "false");
    r->s.done(r->s.ctx, whole);
}

static bool is_due(struct replay *r)
{
    if (r->line.kind == RECORD_HEADER || r->s.speed == 0)
        return true;
    if (!r->started) {
        r->started = true;
        r->first_ms = r->line.receive_ms;
        r->began_ms = clock_mono_ms();
    }
    int64_t passed = (clock_mono_ms() - r->began_ms) * r->s.speed;
    return r->line.receive_ms - r->first_ms <= passed;
}

/* false: the bus is full. */
static bool put(struct replay *r)
{
    struct bus_message m = r->line.message;
    if (r->line.kind == RECORD_MARKET)
        r->s.market(r->s.ctx, &r->line.market);
    if (r->line.kind != RECORD_MESSAGE)
        return true;
    if (m.source != SOURCE_IMPORTED)
        m.source = SOURCE_REPLAY;
    m.receive_ms = clock_wall_ms();
    if (bus_publish(r->s.bus, &m) != OK)
        return false;
    r->messages++;
    return true;
}

static void on_tick(uv_timer_t *timer)
{
    struct replay *r = timer->data;
    int left = feed_pending_rows(r->s.feed) < PENDING_MAX ? TURN_MESSAGES : 0;
    for (; left > 0; left--) {
        enum err e = r->held ? OK : read_line(r);
        if (e != OK) {
            finish(r, e == ERR_NOT_FOUND);
            return;
        }
        r->held = !is_due(r) || !put(r);
        if (r->held)
            return;
    }
}

void replay_start(struct replay *r, const struct replay_settings *s)
{
    r->s = *s;
    uv_timer_init(s->loop, &r->timer);
    r->timer.data = r;
    uv_timer_start(&r->timer, on_tick, TICK_MS, TICK_MS);
}

void replay_stop(struct replay *r)
{
    uv_timer_stop(&r->timer);
    uv_close((uv_handle_t *)&r->timer, NULL);
}

void replay_free(struct replay **r)
{
    if (*r == NULL)
        return;
    for (int k = 0; k < (*r)->count; k++)
        free((*r)->names[k]);
    free((*r)->names);
    if ((*r)->file)
        fclose((*r)->file);
    free((*r)->text);
    free((*r)->folder);
    free(*r);
    *r = NULL;
}
