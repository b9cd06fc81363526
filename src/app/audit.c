/* SPDX-License-Identifier: Apache-2.0 */
#include "app/audit.h"

#include <stdlib.h>
#include <string.h>

#include "app/verify_body.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

static struct metric compared_total = METRIC_COUNTER(
    "stofka_candle_audit_compared_total", "Closed candles compared with the exchange's own.", "");
static struct metric different_total = METRIC_COUNTER(
    "stofka_candle_audit_different_total",
    "Compared candles that differed, the exchange's own disagreements left out.", "");
static struct metric exchange_total = METRIC_COUNTER(
    "stofka_candle_audit_exchange_total",
    "Compared candles in which the exchange disagrees with its own finer candles.", "");
static struct metric repaired_total =
    METRIC_COUNTER("stofka_candle_audit_repaired_total", "Candles repaired.", "");
static struct metric failed_total =
    METRIC_COUNTER("stofka_candle_audit_failed_total", "Comparisons that could not be made.", "");

struct audit {
    struct audit_checks *checks;
    char (*codes)[CODE_MAX];
    size_t code_count;
    uint64_t turn;
    bool busy;
    uv_timer_t timer;
    bool stopped;
};

static void log_difference(const struct audit_wish *w, const struct audit_difference *d)
{
    struct buf text = {0};
    char start[TIME_TEXT_MAX], quoted[512];
    time_write(d->start_ms, 0, start);
    audit_text(&text, d);
    log_warn("candle.audit_different", "code=%s interval=%s start=%s kind=%s repaired=%s what=%s",
             w->code, interval_name(d->interval), start, audit_kind_name(d->kind),
             d->repaired ? "true" : "false", log_quote(quoted, sizeof quoted, text.data, text.len));
    buf_free(&text);
}

static void count(const struct audit_wish *w, const struct audit_result *r)
{
    if (r->err != OK) {
        metric_add(&failed_total, 1);
        log_info("candle.audit_failed", "code=%s interval=%s error=\"%s\"", w->code,
                 interval_name(w->interval), err_text(r->err));
        return;
    }
    metric_add(&compared_total, (int64_t)r->compared);
    metric_add(&repaired_total, (int64_t)r->repaired);
    for (size_t k = 0; k < r->count; k++) {
        const struct audit_difference *d = &r->differences[k];
        metric_add(d->kind == AUDIT_EXCHANGE ? &exchange_total : &different_total, 1);
        log_difference(w, d);
    }
}

/* --- by itself -------------------------------------------------------------------------- */

static void on_audited(void *ctx, const struct audit_wish *w, const struct audit_result *r)
{
    struct audit *a = ctx;
    a->busy = false;
    count(w, r);
    log_debug("candle.audited", "code=%s interval=%s compared=%zu different=%zu", w->code,
              interval_name(w->interval), r->compared, r->count);
}

/* Every other turn seconds: all else is made of them. */
static enum interval interval_of(uint64_t round)
{
    return round % 2 == 0 ? INTERVAL_1S
                          : (enum interval)(INTERVAL_1M + round / 2 % (INTERVAL_COUNT - 1));
}

/* The next market in turn that is here; NULL: none is. */
static const char *next_code(struct audit *a)
{
    for (size_t tried = 0; tried < a->code_count; tried++) {
        const char *code = a->codes[a->turn++ % a->code_count];
        if (audit_checks_has(a->checks, code))
            return code;
    }
    return NULL;
}

static void on_timer(uv_timer_t *timer)
{
    struct audit *a = timer->data;
    const char *code = a->busy ? NULL : next_code(a);
    if (code == NULL)
        return;
    struct audit_wish w = {.to_ms = INT64_MAX,
                           .interval = interval_of((a->turn - 1) / a->code_count),
                           .priority = EXCHANGE_AUDIT};
    memcpy(w.code, code, CODE_MAX);
    a->busy = true;
    if (audit_check(a->checks, &w, on_audited, a) != OK)
        a->busy = false;
}

void audit_markets(struct audit *a, const struct upbit_market *markets, size_t number)
{
    a->codes = mem_array(a->codes, number ? number : 1, CODE_MAX);
    for (size_t k = 0; k < number; k++)
        memcpy(a->codes[k], markets[k].code, CODE_MAX);
    a->code_count = number;
}

/* --- when asked ------------------------------------------------------------------------- */

static void on_verified(void *ctx, const struct audit_wish *w, const struct audit_result *r)
{
    struct serve_request *req = ctx;
    struct buf out = {0};
    if (r->err != ERR_AGAIN)
        count(w, r);
    if (r->err == ERR_AGAIN || r->err == ERR_CLOSED) {
        serve_answer_error(req, 503, "busy", "exchange or store are not ready; ask again");
    } else if (r->err == ERR_NOT_FOUND) {
        serve_answer_error(req, 404, "unknown_market", "the exchange does not know that market");
    } else if (r->err != OK) {
        serve_answer_error(req, 502, "exchange_failed", err_text(r->err));
    } else {
        verify_answer(&out, w, r);
        serve_answer_json(req, 200, out.data, out.len);
    }
    buf_free(&out);
}

bool audit_ask(struct audit *a, const char *path, const char *body, size_t len,
               struct serve_request *req)
{
    struct audit_wish w;
    struct buf why = {0};
    if (strcmp(path, "/verify") != 0)
        return false;
    if (verify_body_read(body, len, &w, &why) != OK)
        serve_answer_error(req, 400, "invalid_body", why.data);
    else if (!audit_checks_has(a->checks, w.code))
        serve_answer_error(req, 409, "elsewhere",
                           "another store process has this market's partition; ask that one");
    else if (audit_check(a->checks, &w, on_verified, req) != OK)
        serve_answer_error(req, 503, "busy", "too many comparisons at a time; ask again");
    buf_free(&why);
    return true;
}

/* --- its life --------------------------------------------------------------------------- */

struct audit *audit_new(const struct audit_checks_settings *s, int64_t per_minute)
{
    struct audit *a = mem_zalloc(sizeof *a);
    a->checks = audit_checks_new(s);
    uv_timer_init(s->loop, &a->timer);
    a->timer.data = a;
    if (per_minute) {
        uint64_t every = (uint64_t)(60000 / per_minute);
        uv_timer_start(&a->timer, on_timer, every, every);
    }
    return a;
}

void audit_released(struct audit *a)
{
    audit_checks_released(a->checks);
}

void audit_stop(struct audit *a)
{
    uv_close((uv_handle_t *)&a->timer, NULL);
    audit_checks_stop(a->checks);
}

void audit_free(struct audit **a)
{
    if (*a == NULL)
        return;
    audit_checks_free(&(*a)->checks);
    free((*a)->codes);
    free(*a);
    *a = NULL;
}

void audit_counts_get(struct audit_counts *out)
{
    *out = (struct audit_counts){metric_get(&compared_total), metric_get(&different_total),
                                 metric_get(&exchange_total), metric_get(&repaired_total)};
}

void audit_metrics_register(void)
{
    metric_register(&compared_total);
    metric_register(&different_total);
    metric_register(&exchange_total);
    metric_register(&repaired_total);
    metric_register(&failed_total);
}
