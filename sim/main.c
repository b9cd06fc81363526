/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define TICK_MS 5

void sim_log(const char *fmt, ...)
{
    struct timespec now;
    struct utc t;
    va_list ap;
    clock_gettime(CLOCK_REALTIME, &now);
    t = utc_of(now.tv_sec * 1000LL + now.tv_nsec / 1000000);
    fprintf(stderr, "ts=%04d-%02d-%02dT%02d:%02d:%02d.%03dZ level=info event=", t.year, t.month,
            t.day, t.hour, t.minute, t.second, t.ms);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static void on_tick(uv_timer_t *timer)
{
    struct sim *s = timer->data;
    int64_t now = world_now(&s->world);
    world_advance(&s->world, now);
    fault_tick(s);
    flush_tick(s, world_now(&s->world));
    replay_tick(s);
    int64_t second = (int64_t)uv_now(&s->loop) / 1000;
    if (second != s->last_log_flush) {
        s->last_log_flush = second;
        world_flush_logs(&s->world);
    }
}

void sim_stop(struct sim *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    net_close(s);
    uv_close((uv_handle_t *)&s->tick, NULL);
    uv_close((uv_handle_t *)&s->sigint, NULL);
    uv_close((uv_handle_t *)&s->sigterm, NULL);
}

static void on_signal(uv_signal_t *h, int number)
{
    (void)number;
    sim_stop(h->data);
}

static bool open_world(struct sim *s)
{
    s->world.generating = !s->opt.replay_path;
    if (!world_open(&s->world, &s->opt.world))
        return false;
    if (s->opt.replay_path)
        return replay_load(s);
    return world_make_history(&s->world);
}

static void start(struct sim *s)
{
    uv_timer_init(&s->loop, &s->tick);
    uv_signal_init(&s->loop, &s->sigint);
    uv_signal_init(&s->loop, &s->sigterm);
    s->tick.data = s->sigint.data = s->sigterm.data = s;
    uv_signal_start(&s->sigint, on_signal, SIGINT);
    uv_signal_start(&s->sigterm, on_signal, SIGTERM);
    if (!s->opt.replay_path || s->opt.no_wait)
        world_thaw(&s->world);
    s->last_flush_s = floor_div(s->world.start_ms, 1000);
    uv_update_time(&s->loop);
    uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
    struct buf line = {0};
    buf_printf(&line, "sim.listening url=http://%s:%d", s->opt.host, s->opt.port);
    if (s->opt.tls_port >= 0)
        buf_printf(&line, " tls_url=https://%s:%d", s->opt.host, s->opt.tls_port);
    sim_log("%s seed=%llu markets=%d trades=%lld start_ms=%lld", line.p,
            (unsigned long long)s->opt.world.seed, s->world.market_count,
            (long long)s->world.trade_total, (long long)s->world.start_ms);
    buf_free(&line);
}

int main(int argc, char **argv)
{
    static struct sim s;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stderr, NULL, _IOLBF, 4096);
    int leave = options_read(argc, argv, &s.opt, &s.faults);
    if (leave >= 0)
        return leave;
    uv_loop_init(&s.loop);
    s.limits = limits_new();
    s.faults.rng = rng_named(s.opt.world.seed, "faults");
    s.lag_rng = rng_named(s.opt.world.seed, "lag");
    if (!open_world(&s) || !net_open(&s))
        return 1;
    s.world.on_trade = flush_trade;
    s.world.ctx = &s;
    start(&s);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    sim_log("sim.stopped trades=%lld frames=%lld", (long long)s.world.trade_total,
            (long long)s.frames_sent);
    world_free(&s.world);
    if (s.tls)
        SSL_CTX_free(s.tls);
    free(s.faults.records);
    free(s.limits);
    free(s.heard);
    uv_loop_close(&s.loop);
    return 0;
}
