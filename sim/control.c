/* SPDX-License-Identifier: Apache-2.0 */
/* control: /_sim/..., for tests: state, faults, trading on and off, listings. Not rate-limited. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static void put_fault(struct buf *b, const struct fault_record *f)
{
    buf_printf(b, "{\"kind\":\"%s\",\"arg\":%g,\"from_ms\":%lld,\"to_ms\":%lld,\"clients\":%d}",
               fault_name(f->kind), f->arg, (long long)f->from_ms, (long long)f->to_ms, f->clients);
}

static void put_faults(const struct sim *s, struct buf *b)
{
    buf_put(b, ",\"faults\":[");
    for (size_t i = 0; i < s->faults.record_count; i++) {
        buf_put(b, i ? "," : "");
        put_fault(b, &s->faults.records[i]);
    }
    buf_put(b, "]");
}

/* When a subscribed client was there; to_ms 0: it still is. */
static void put_heard(const struct sim *s, struct buf *b)
{
    const char *sep = "";
    buf_put(b, ",\"heard\":[");
    for (size_t i = 0; i < s->heard_count; i++, sep = ",")
        buf_printf(b, "%s{\"from_ms\":%lld,\"to_ms\":%lld}", sep, (long long)s->heard[i].from_ms,
                   (long long)s->heard[i].to_ms);
    for (const struct conn *c = s->conns; c; c = c->next)
        if (c->feed && c->feed->hearing) {
            buf_printf(b, "%s{\"from_ms\":%lld,\"to_ms\":0}", sep,
                       (long long)c->feed->heard_from_ms);
            sep = ",";
        }
    buf_put(b, "]}");
}

static void put_state(struct sim *s, struct buf *b)
{
    int clients = 0, subscriptions = 0;
    for (const struct conn *c = s->conns; c; c = c->next) {
        clients += c->feed && !c->dead;
        for (int i = 0; c->feed && !c->dead && i < s->world.market_count; i++)
            subscriptions += __builtin_popcount(c->feed->want[i]);
    }
    buf_printf(b,
               "{\"now_ms\":%lld,\"start_ms\":%lld,\"history_start_ms\":%lld,\"seed\":%llu,"
               "\"trading\":%s,\"trades\":%lld,\"pending\":%zu,\"markets\":%d,"
               "\"connections\":%d,\"connects\":%lld,\"subscriptions\":%d,\"frames\":%lld,"
               "\"rest\":%lld,\"replay\":{\"total\":%d,\"sent\":%d}",
               (long long)world_now(&s->world), (long long)s->world.start_ms,
               (long long)s->world.history_start_ms, (unsigned long long)s->world.opt.seed,
               s->world.trading ? "true" : "false", (long long)s->world.trade_total,
               s->world.pending_count, s->world.market_count, clients, (long long)s->connects,
               subscriptions, (long long)s->frames_sent, (long long)s->rest_served, s->replay_total,
               s->replay_sent);
    put_faults(s, b);
    put_heard(s, b);
}

static bool do_fault(struct sim *s, const struct request *r)
{
    enum fault_kind kind;
    double seconds = 0;
    const char *name = http_param(r, "kind");
    if (!name || !fault_kind_of(name, strlen(name), &kind))
        return false;
    const char *arg = http_param(r, "for");
    if (!arg)
        arg = http_param(r, "by"); /* clockstep reads better so */
    if (arg && !parse_real(arg, -86400, 86400, &seconds))
        return false;
    fault_start(s, kind, seconds);
    return true;
}

static bool do_faults(struct sim *s, const struct request *r)
{
    double seconds = s->faults.every;
    const char *every = http_param(r, "every");
    if (every && !parse_real(every, 0.1, 1e6, &seconds))
        return false;
    const char *mix = http_param(r, "mix");
    if (!mix || !fault_set_mix(&s->faults, mix))
        return false;
    if (!s->faults.mix)
        fault_end_all(s);
    s->faults.every = seconds;
    return true;
}

static bool do_trading(struct sim *s, const struct request *r)
{
    const char *on = http_param(r, "on");
    if (!on || (strcmp(on, "0") != 0 && strcmp(on, "1") != 0))
        return false;
    world_set_trading(&s->world, *on == '1');
    return true;
}

static bool do_list(struct sim *s, const struct request *r)
{
    const char *code = http_param(r, "market");
    return code && strchr(code, '-') && world_list(&s->world, code, NULL, NULL);
}

static bool do_delist(struct sim *s, const struct request *r)
{
    const char *code = http_param(r, "market");
    struct market *m = code ? world_market(&s->world, code) : NULL;
    if (m)
        m->listed = false;
    return m != NULL;
}

void control_handle(struct conn *c, const struct request *r)
{
    static const struct {
        const char *path;
        bool (*act)(struct sim *s, const struct request *r);
        const char *wants;
    } acts[] = {{"/_sim/fault", do_fault, "kind: a fault, for: seconds (clockstep: by)"},
                {"/_sim/faults", do_faults, "mix: faults, all or off; every: seconds, from 0.1"},
                {"/_sim/trading", do_trading, "on: 0 or 1"},
                {"/_sim/list", do_list, "market: a code such as KRW-NEW"},
                {"/_sim/delist", do_delist, "market: a listed code"}};
    struct buf b = {0};
    int status = 404;
    const char *why = "state, fault, faults, trading, list or delist";
    if (!strcmp(r->path, "/_sim/state"))
        status = 200;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (!strcmp(r->path, acts[i].path)) {
            bool post = !strcmp(r->method, "POST");
            status = !post ? 405 : acts[i].act(c->sim, r) ? 200 : 400;
            why = post ? acts[i].wants : "method: POST";
        }
    world_flush_logs(&c->sim->world); /* whoever asks finds all of it in the files */
    if (status == 200)
        put_state(c->sim, &b);
    else
        buf_printf(&b, "{\"error\":{\"name\":%d,\"message\":\"%s\"}}", status, why);
    http_reply(c, r, status, "application/json;charset=UTF-8", "", &b);
    buf_free(&b);
}
