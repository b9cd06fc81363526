/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: a cryptofeed capture instead of made trades. Its lines are `EPOCH: {json}`, plain or
 * gzip; the trades among them go out when they once came in, counted from the clock's start (at the
 * first subscription, unless --no-wait), their bytes kept.
 */
#include "json.h"
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static bool number_of(const struct json *object, const char *name, int64_t *out)
{
    const struct json *j = json_get(object, name);
    char text[32];
    if (!j || j->type != JSON_NUMBER || j->raw_len >= sizeof text)
        return false;
    memcpy(text, j->raw, j->raw_len);
    text[j->raw_len] = 0;
    return parse_int(text, out);
}

static bool decimal_of(const struct json *object, const char *name, int64_t *out)
{
    const struct json *j = json_get(object, name);
    return j && j->type == JSON_NUMBER && parse_e8(j->raw, j->raw_len, out);
}

/* A trade message into the pending ones; false if it can't be understood. */
static bool take_trade(struct sim *s, const struct json *j, int64_t received_ms, struct rng *rng)
{
    struct pending p = {.due_ms = received_ms};
    struct market *m = p.market = world_market(&s->world, json_text(j, "cd"));
    const char *side = json_text(j, "ab");
    struct trade *t = &p.trade;
    if (!side || !number_of(j, "sid", &t->sid) || !number_of(j, "ttms", &t->ms) ||
        !number_of(j, "tms", &t->store_ms) || !decimal_of(j, "tp", &t->price) ||
        !decimal_of(j, "tv", &t->volume))
        return false;
    t->bid = !strcmp(side, "BID");
    if (!m->ticker.prev_close)
        decimal_of(j, "pcp", &m->ticker.prev_close);
    if (s->opt.shuffle_ms)
        p.due_ms += rng_below(rng, s->opt.shuffle_ms);
    p.raw = strndup(j->raw, j->raw_len);
    world_push(&s->world, &p);
    s->replay_total++;
    return true;
}

static bool take_line(struct sim *s, char *line, struct rng *rng)
{
    char *end = NULL;
    double epoch = strtod(line, &end);
    char *from = strchr(line, '{'), *to = strrchr(line, '}');
    if (end == line || *end != ':' || !from || !to)
        return true; /* configuration, connect and subscribe lines */
    int64_t ms = (int64_t)(epoch * 1000);
    if (!s->world.start_ms)
        s->world.start_ms = ms - 100;
    struct json *j = json_parse(from, (size_t)(to - from) + 1);
    if (!j)
        return false;
    const char *code = json_text(j, "cd"), *type = json_text(j, "ty");
    bool ok = !code || world_list(&s->world, code, NULL, NULL) != NULL;
    if (ok && code && type && !strcmp(type, "trade"))
        ok = take_trade(s, j, ms, rng);
    json_free(j);
    return ok;
}

bool replay_load(struct sim *s)
{
    static char line[1 << 20];
    struct rng rng = rng_named(s->opt.world.seed, "shuffle");
    int64_t start_ms = s->opt.world.start_ms;
    int n = 0;
    gzFile f = gzopen(s->opt.replay_path, "rb");
    s->world.start_ms = 0;
    if (!f) {
        fprintf(stderr, "stofka-sim: %s: %s\n", s->opt.replay_path, strerror(errno));
        return false;
    }
    while (gzgets(f, line, sizeof line)) {
        n++;
        if (!take_line(s, line, &rng)) {
            fprintf(stderr, "stofka-sim: %s line %d: not a message I know\n", s->opt.replay_path,
                    n);
            gzclose(f);
            return false;
        }
    }
    gzclose(f);
    if (!s->replay_total) {
        fprintf(stderr, "stofka-sim: %s: no trades in it\n", s->opt.replay_path);
        return false;
    }
    if (start_ms)
        s->world.start_ms = start_ms;
    s->world.history_start_ms = s->world.start_ms;
    return true;
}

void replay_tick(struct sim *s)
{
    int sent = s->replay_total - (int)s->world.pending_count;
    bool done = sent == s->replay_total && s->world.dirty_count == 0;
    if (!s->replay_total || s->replay_done)
        return;
    s->replay_sent = sent;
    s->replay_done = done;
    if (!done)
        return;
    world_flush_logs(&s->world);
    sim_log("sim.replay_done trades=%d", s->replay_total);
}
