/* SPDX-License-Identifier: Apache-2.0 */
#include "app/collect.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "app/row.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum {
    /* A second may be revised so long after its end: trades are up to 3 s late, flushed each
     * second.
     */
    LATE_MS = 10 * 1000,
    LIST_AGAIN_MS = 60 * 1000,
    /* Of a gap that was still going on: what the watermark before it had claimed too much. */
    OPEN_GAP_MS = 3000,
};

static struct metric owed_total =
    METRIC_COUNTER("stofka_bus_owed_gaps_total", "Gaps made because the bus was full.", "");

struct collect {
    struct bus *bus;
    enum source source;
    bool base_is_trade, whole, rows;
    char name[16];
    void (*changed)(void *ctx);
    void *changed_ctx;
    /* Exchange's thread only. */
    struct buf value;
    int64_t since_ms;                 /* of the newest watermark said */
    int64_t listed_mono_ms;           /* when the market list was last put on the bus; 0: never */
    int64_t owed_from_ms, owed_to_ms; /* refused by a full bus; 0: nothing owed */
    int64_t behind_offset_ms;         /* smallest delay seen where clocks disagree */
    bool clocks_disagree;
    /* Held from asking what was lost until the watermark is out, so that none claims what the bus
     * tells as lost meanwhile. Taken before lock. */
    pthread_mutex_t claiming;
    int64_t lost_from_ms, lost_to_ms; /* told by the bus, under claiming; 0: nothing */
    pthread_mutex_t lock;             /* of what follows */
    struct collect_state state;
    struct upbit_market *markets;
    size_t market_count;
    uint64_t version;
};

/* Of now; where it goes by its code. */
static struct bus_message message_of(const struct collect *c, enum bus_kind kind, const char *code,
                                     const char *value, size_t len)
{
    struct bus_message m = {.kind = kind,
                            .value = value,
                            .len = len,
                            .receive_ms = clock_wall_ms(),
                            .source = c->source};
    memcpy(m.code, code, strlen(code) + 1);
    memcpy(m.collector, c->name, sizeof m.collector);
    return m;
}

static enum err publish(struct collect *c, enum bus_kind kind, const char *code, int32_t partition,
                        const struct buf *value)
{
    struct bus_message m = message_of(c, kind, code, value->data, value->len);
    m.partition = partition;
    return bus_publish(c->bus, &m);
}

/* Where it is asked for; the candle itself is on the bus already. */
static enum err publish_row(struct collect *c, const char *code, const struct candle *candle)
{
    if (!c->rows)
        return OK;
    struct candle own = *candle;
    own.source = (uint8_t)c->source;
    struct buf value = {0};
    row_write(&value, code, &own);
    struct bus_message m = message_of(c, BUS_CANDLE, code, value.data, value.len);
    enum err e = bus_publish_row(c->bus, &m);
    buf_free(&value);
    return e;
}

static void owe(struct collect *c, int64_t from_ms, int64_t to_ms)
{
    if (c->owed_from_ms == 0) {
        metric_add(&owed_total, 1);
        log_warn("bus.full", "from_ms=%lld", (long long)from_ms);
        c->owed_from_ms = from_ms;
    }
    if (from_ms < c->owed_from_ms)
        c->owed_from_ms = from_ms;
    if (to_ms > c->owed_to_ms)
        c->owed_to_ms = to_ms;
}

static void add_codes(struct message_codes *codes, const struct exchange_list *list,
                      const struct bus *bus, int32_t partition)
{
    for (size_t k = 0; k < list->count; k++) {
        const char *code = list->markets[k].code;
        if (bus_partition_of(bus, code) == partition)
            message_codes_add(codes, code, strlen(code));
    }
}

/* Says a gap of all markets heard to every partition that holds some of them. */
static enum err say_gap(struct collect *c, int64_t from_ms, int64_t to_ms, const char *reason,
                        const struct exchange_list *heard)
{
    enum err e = OK;
    for (int32_t p = 0; p < bus_partitions(c->bus) && e == OK; p++) {
        struct message_gap gap = {.from_ms = from_ms, .to_ms = to_ms};
        strncpy(gap.reason, reason, sizeof gap.reason - 1);
        add_codes(&gap.codes, heard, c->bus, p);
        buf_clear(&c->value);
        message_gap_write(&c->value, &gap);
        if (gap.codes.count)
            e = publish(c, BUS_GAP, "", p, &c->value);
        message_codes_free(&gap.codes);
    }
    return e;
}

/* Everything owed must be said before anything is claimed. */
static enum err pay(struct collect *c, const struct exchange_list *heard)
{
    if (c->owed_from_ms == 0)
        return OK;
    enum err e = say_gap(c, c->owed_from_ms, c->owed_to_ms, "bus full", heard);
    if (e == OK)
        c->owed_from_ms = c->owed_to_ms = 0;
    return e;
}

/* Readers elsewhere know the exchange's list from the bus alone; it is said again for those whose
 * brokers have dropped what was said before. */
static void say_markets(struct collect *c)
{
    if (!bus_assigns(c->bus))
        return;
    bool said = true;
    for (int32_t p = 0; p < bus_partitions(c->bus); p++) {
        struct message_markets m = {.whole = c->whole};
        for (size_t k = 0; k < c->market_count; k++)
            if (bus_partition_of(c->bus, c->markets[k].code) == p)
                message_markets_add(&m, &c->markets[k]);
        buf_clear(&c->value);
        message_markets_write(&c->value, &m);
        message_markets_free(&m);
        said = publish(c, BUS_MARKETS, "", p, &c->value) == OK && said;
    }
    c->listed_mono_ms = said ? clock_mono_ms() : 0;
}

static void on_markets(void *ctx, const struct exchange_list *list)
{
    struct collect *c = ctx;
    pthread_mutex_lock(&c->lock);
    c->markets = mem_array(c->markets, list->count ? list->count : 1, sizeof *c->markets);
    memcpy(c->markets, list->markets, list->count * sizeof *c->markets);
    c->market_count = list->count;
    c->version++;
    pthread_mutex_unlock(&c->lock);
    say_markets(c);
    c->changed(c->changed_ctx);
}

/* Where the clocks here and there agree to a minute, the delay is what it is; otherwise (a
 * simulated day) it is measured from the smallest one seen. */
void collect_delay(struct collect *c, int64_t delay_ms)
{
    if (delay_ms < -60000 || delay_ms > 60000) {
        if (!c->clocks_disagree || delay_ms < c->behind_offset_ms)
            c->behind_offset_ms = delay_ms;
        c->clocks_disagree = true;
        delay_ms -= c->behind_offset_ms;
    }
    pthread_mutex_lock(&c->lock);
    c->state.behind_ms = delay_ms < 0 ? 0 : delay_ms;
    pthread_mutex_unlock(&c->lock);
}

static int64_t base_start(const struct upbit_frame *f)
{
    return f->kind == UPBIT_TRADE ? interval_start(INTERVAL_1S, f->trade.trade_ms)
                                  : f->candle.start_ms;
}

static void on_frame(void *ctx, const struct upbit_frame *f, const char *json, size_t len,
                     int64_t receive_ms)
{
    struct collect *c = ctx;
    bool base = f->kind == UPBIT_TRADE
                    ? c->base_is_trade
                    : f->kind == UPBIT_CANDLE && f->interval == INTERVAL_1S && !c->base_is_trade;
    if (f->kind == UPBIT_TICKER && !f->snapshot)
        collect_delay(c, receive_ms - f->timestamp_ms);
    if (!base && f->kind != UPBIT_TICKER)
        return;
    enum bus_kind kind = f->kind == UPBIT_TICKER  ? BUS_TICKER
                         : f->kind == UPBIT_TRADE ? BUS_TRADE
                                                  : BUS_CANDLE;
    struct bus_message m = message_of(c, kind, f->code, json, len);
    m.receive_ms = receive_ms;
    enum err e = bus_publish(c->bus, &m);
    if (e == OK && base && f->kind == UPBIT_CANDLE)
        e = publish_row(c, f->code, &f->candle);
    if (e == OK || !base)
        return;
    int64_t start = base_start(f);
    owe(c, start, start + 1000);
}

static void tell_heard(struct collect *c, int64_t ms)
{
    pthread_mutex_lock(&c->lock);
    c->state.heard_ms = ms;
    pthread_mutex_unlock(&c->lock);
}

static void claim(struct collect *c, int64_t since_ms, int64_t exchange_ms,
                  const struct exchange_list *heard)
{
    if (c->lost_from_ms)
        owe(c, c->lost_from_ms, c->lost_to_ms);
    c->lost_from_ms = c->lost_to_ms = 0;
    if (pay(c, heard) != OK)
        return;
    c->since_ms = since_ms;
    tell_heard(c, exchange_ms - since_ms);
    if (clock_mono_ms() - c->listed_mono_ms > LIST_AGAIN_MS)
        say_markets(c);
    for (int32_t p = 0; p < bus_partitions(c->bus); p++) {
        struct message_watermark w = {.since_ms = since_ms, .exchange_ms = exchange_ms};
        add_codes(&w.codes, heard, c->bus, p);
        buf_clear(&c->value);
        message_watermark_write(&c->value, &w);
        message_codes_free(&w.codes);
        /* Refused: the next one covers the same and more. */
        if (publish(c, BUS_WATERMARK, "", p, &c->value) != OK)
            log_warn("bus.watermark_refused", "partition=%d", (int)p);
    }
}

static void on_watermark(void *ctx, int64_t since_ms, int64_t exchange_ms,
                         const struct exchange_list *heard)
{
    struct collect *c = ctx;
    pthread_mutex_lock(&c->claiming);
    claim(c, since_ms, exchange_ms, heard);
    pthread_mutex_unlock(&c->claiming);
}

static bool lost_span(const struct collect *c, const struct bus_message *m, int64_t *from_ms,
                      int64_t *to_ms)
{
    struct upbit_frame f;
    struct upbit_reason why;
    struct message_gap g;
    if (m->kind == BUS_GAP && message_gap_read(m->value, m->len, &g) == OK) {
        message_codes_free(&g.codes);
        *from_ms = g.from_ms;
        *to_ms = g.to_ms ? g.to_ms : g.from_ms + OPEN_GAP_MS;
        return true;
    }
    if (m->kind != (c->base_is_trade ? BUS_TRADE : BUS_CANDLE) ||
        upbit_frame_read(m->value, m->len, &f, &why) != OK)
        return false;
    *from_ms = base_start(&f);
    *to_ms = *from_ms + 1000;
    return true;
}

void collect_undelivered(struct collect *c, const struct bus_message *m)
{
    int64_t from_ms, to_ms;
    if (!lost_span(c, m, &from_ms, &to_ms))
        return;
    pthread_mutex_lock(&c->claiming);
    if (c->lost_from_ms == 0 || from_ms < c->lost_from_ms)
        c->lost_from_ms = from_ms;
    if (to_ms > c->lost_to_ms)
        c->lost_to_ms = to_ms;
    pthread_mutex_unlock(&c->claiming);
}

static void on_lost(void *ctx, const char *code, int64_t from_ms, int64_t to_ms, const char *reason)
{
    struct collect *c = ctx;
    struct upbit_market one = {0};
    struct exchange_list which = {&one, 1};
    memcpy(one.code, code, strlen(code) + 1);
    if (code[0] == '\0') /* only this thread writes the list */
        which = (struct exchange_list){c->markets, c->market_count};
    if (say_gap(c, from_ms, to_ms, reason, &which) != OK)
        owe(c, from_ms, to_ms);
}

static void on_down(void *ctx, int64_t last_ms, const char *reason,
                    const struct exchange_list *heard)
{
    struct collect *c = ctx;
    if (last_ms == 0)
        return;
    /* What was proven is claimed to the last, then the gap starts. */
    if (c->since_ms)
        on_watermark(c, c->since_ms, last_ms + 1000, heard);
    c->since_ms = 0;
    tell_heard(c, 0);
    if (say_gap(c, last_ms - 2000, 0, reason, heard) != OK)
        owe(c, last_ms - 2000, last_ms);
}

void collect_state_tell(struct collect *c, enum exchange_state state, const char *text)
{
    pthread_mutex_lock(&c->lock);
    c->state.state = state;
    strncpy(c->state.text, text, sizeof c->state.text - 1);
    pthread_mutex_unlock(&c->lock);
}

static void on_state(void *ctx, enum exchange_state s, const char *text)
{
    struct collect *c = ctx;
    collect_state_tell(c, s, text);
    c->changed(c->changed_ctx);
}

void collect_metrics_register(void)
{
    metric_register(&owed_total);
}

struct collect *collect_new(const struct collect_settings *s)
{
    struct collect *c = mem_zalloc(sizeof *c);
    collect_metrics_register();
    c->bus = s->bus;
    c->source = s->source;
    c->base_is_trade = s->base_is_trade;
    c->whole = s->whole;
    c->rows = s->rows;
    REQUIRE(strlen(s->name) < sizeof c->name);
    memcpy(c->name, s->name, strlen(s->name));
    c->changed = s->changed;
    c->changed_ctx = s->ctx;
    c->state.behind_ms = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->claiming, NULL);
    return c;
}

void collect_free(struct collect **c)
{
    if (*c == NULL)
        return;
    pthread_mutex_destroy(&(*c)->lock);
    pthread_mutex_destroy(&(*c)->claiming);
    buf_free(&(*c)->value);
    free((*c)->markets);
    free(*c);
    *c = NULL;
}

struct exchange_events collect_events(struct collect *c)
{
    return (struct exchange_events){.ctx = c,
                                    .markets = on_markets,
                                    .frame = on_frame,
                                    .watermark = on_watermark,
                                    .lost = on_lost,
                                    .down = on_down,
                                    .state = on_state};
}

void collect_state_get(struct collect *c, struct collect_state *out)
{
    pthread_mutex_lock(&c->lock);
    *out = c->state;
    pthread_mutex_unlock(&c->lock);
}

struct upbit_market *collect_markets_get(struct collect *c, uint64_t *version, size_t *count)
{
    struct upbit_market *copy = NULL;
    pthread_mutex_lock(&c->lock);
    if (c->version != *version) {
        copy = mem_array(NULL, c->market_count ? c->market_count : 1, sizeof *copy);
        memcpy(copy, c->markets, c->market_count * sizeof *copy);
        *count = c->market_count;
        *version = c->version;
    }
    pthread_mutex_unlock(&c->lock);
    return copy;
}

enum err collect_fetched(struct collect *c, const struct exchange_rows *rows,
                         const struct message_covered *covered)
{
    struct buf value = {0};
    enum err e = OK;
    /* Rows past the span are not final yet. A little before it they may tell of a late trade
     * whose revision the lost socket swallowed. Oldest first. */
    for (size_t k = rows->count; k-- > 0 && e == OK;) {
        if (rows->rows[k].start_ms < covered->from_ms - LATE_MS ||
            rows->rows[k].start_ms >= covered->to_ms)
            continue;
        buf_clear(&value);
        upbit_candle_write(&value, rows->code, rows->interval, &rows->rows[k]);
        e = publish(c, BUS_CANDLE, rows->code, 0, &value);
        if (e == OK && rows->interval == INTERVAL_1S)
            e = publish_row(c, rows->code, &rows->rows[k]);
    }
    buf_clear(&value);
    message_covered_write(&value, covered);
    if (e == OK)
        e = publish(c, BUS_COVERED, rows->code, 0, &value);
    buf_free(&value);
    return e;
}

static enum err publish_span(struct collect *c, const char *code, int64_t from_ms, int64_t to_ms,
                             enum message_purpose purpose)
{
    struct message_covered m = {
        .interval = INTERVAL_1S, .from_ms = from_ms, .to_ms = to_ms, .purpose = purpose};
    memcpy(m.code, code, strlen(code) + 1);
    struct buf value = {0};
    message_covered_write(&value, &m);
    enum err e = publish(c, BUS_COVERED, code, 0, &value);
    buf_free(&value);
    return e;
}

enum err collect_lost(struct collect *c, const char *code, int64_t from_ms, int64_t to_ms)
{
    return publish_span(c, code, from_ms, to_ms, PURPOSE_LOST);
}

enum err collect_tell(struct collect *c, const char *code, int64_t from_ms, int64_t to_ms)
{
    return publish_span(c, code, from_ms, to_ms, PURPOSE_TELL);
}

enum err collect_repair(struct collect *c, const char *code, enum interval i,
                        const struct candle *candle)
{
    struct message_repair m = {.interval = i, .candle = *candle};
    memcpy(m.code, code, strlen(code) + 1);
    struct buf value = {0};
    message_repair_write(&value, &m);
    enum err e = publish(c, BUS_REPAIR, code, 0, &value);
    if (e == OK && i == INTERVAL_1S)
        e = publish_row(c, code, candle);
    buf_free(&value);
    return e;
}
