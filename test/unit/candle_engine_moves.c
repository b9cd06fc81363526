/* SPDX-License-Identifier: Apache-2.0 */
/* What can happen in a seed of candle_engine_test.c. */
#include "candle_engine_world.h"

enum { UNIT = 100000000 };

static int64_t last_ms(const struct world *w)
{
    return w->oracle->base_ms + (ORACLE_SECONDS - 10) * 1000;
}

static void pass_time(struct world *w)
{
    int64_t ms = roll(0, 2500);
    if (chance(10))
        ms = roll(10000, 100000);
    if (chance(2))
        ms = roll(300000, 1200000);
    if (w->now_ms + ms < last_ms(w))
        w->now_ms += ms;
}

static int64_t whole_second(int64_t ms)
{
    return interval_start(INTERVAL_1S, ms);
}

static struct candle random_candle(struct world *w, int64_t start_ms, int64_t volume)
{
    w->price += roll(-2, 2);
    struct candle c = {.start_ms = start_ms,
                       .open = (w->price + roll(-1, 1)) * UNIT,
                       .close = (w->price + roll(-1, 1)) * UNIT,
                       .high = (w->price + 1) * UNIT,
                       .low = (w->price - 1) * UNIT,
                       .volume = (decimal_units)volume * UNIT,
                       .amount = (decimal_units)volume * w->price * UNIT,
                       .timestamp_ms = start_ms + roll(0, 999),
                       .rev = 1};
    return c;
}

static void send_second(struct world *w, int m, int64_t start_ms)
{
    const struct oracle_row *r = oracle_find(&w->oracle->markets[m].rows[INTERVAL_1S], start_ms);
    struct candle c = random_candle(w, start_ms, roll(1, 9));
    if (r && chance(60)) {
        c.volume += r->candle.volume;
    } else if (r && chance(50)) {
        c.volume = r->candle.volume;
        if (chance(50))
            c.timestamp_ms = r->candle.timestamp_ms;
    } else if (r && chance(50)) {
        c = r->candle;
        c.rev = 1;
        c.state = CANDLE_FORMING;
    }
    deliver(w, &(struct message){.kind = MESSAGE_CANDLE, .market = m, .candle = c});
}

static void move_second(struct world *w)
{
    int64_t late = roll(0, 3);
    if (chance(20))
        late = roll(3, 200);
    if (chance(4))
        late = roll(200, 3600);
    int64_t start = whole_second(w->now_ms) - late * 1000;
    if (start >= w->oracle->base_ms)
        send_second(w, (int)roll(0, ORACLE_MARKETS - 1), start);
}

static void send_watermark(struct world *w)
{
    deliver(w, &(struct message){.kind = MESSAGE_WATERMARK,
                                 .market = w->heard,
                                 .from_ms = w->since_ms,
                                 .to_ms = w->now_ms});
}

static void move_watermark(struct world *w)
{
    pass_time(w);
    if (w->connected) {
        if (w->since_ms)
            send_watermark(w);
        return;
    }
    if (chance(40))
        return;
    w->since_ms = w->now_ms;
    w->connected = true;
    if (w->heard < ORACLE_MARKETS && chance(50))
        w->heard++;
    if (chance(70))
        send_watermark(w);
}

static void move_gap(struct world *w)
{
    struct message msg = {.kind = MESSAGE_GAP, .market = (int)roll(1, w->heard)};
    msg.from_ms = w->now_ms - roll(1000, 8000);
    if (chance(50)) {
        msg.to_ms = msg.from_ms + roll(500, 4000);
        if (msg.to_ms > w->now_ms)
            msg.to_ms = w->now_ms;
    } else {
        msg.market = w->heard;
    }
    if (chance(90)) {
        w->connected = w->connected && msg.to_ms;
        deliver(w, &msg);
    } else if (msg.to_ms == 0 && w->connected) {
        w->connected = chance(50); /* a collector that says nothing, and one that goes on */
    }
}

static enum message_purpose random_purpose(void)
{
    return (enum message_purpose)roll(PURPOSE_HEAL, PURPOSE_IMPORT);
}

/* Some seconds of a span, then the word that it is known, or lost. */
static void fetch_seconds(struct world *w, int m, int64_t from, int64_t to,
                          enum message_purpose purpose)
{
    for (int64_t n = roll(0, 4); n > 0 && purpose != PURPOSE_LOST; n--)
        send_second(w, m, roll(from / 1000, to / 1000 - 1) * 1000);
    deliver(w, &(struct message){.kind = MESSAGE_COVERED,
                                 .market = m,
                                 .from_ms = from,
                                 .to_ms = to,
                                 .purpose = purpose});
}

static void move_heal(struct world *w)
{
    int m = (int)roll(0, w->heard - 1);
    int64_t to = whole_second(w->now_ms) - roll(-1, 100) * 1000;
    int64_t from = to - roll(1, 100) * 1000;
    const struct model_store *s = w->now;
    for (size_t k = 0; k < s->gap_count[m] && chance(90); k++)
        if (s->gaps[m][k].state == CANDLE_GAP_OPEN && s->gaps[m][k].to_ms) {
            from = s->gaps[m][k].from_ms;
            to = s->gaps[m][k].to_ms;
            if (chance(30))
                from = whole_second(roll(from, to - 1));
            if (chance(50))
                break;
        }
    if (m > 0 && w->oracle->markets[m].first_heard_ms == 0)
        return;
    if (from >= w->oracle->base_ms && from < to && to <= w->now_ms)
        fetch_seconds(w, m, from, to, chance(25) ? PURPOSE_LOST : random_purpose());
}

static void send_own(struct world *w, int m, enum interval i, int64_t start)
{
    struct candle c = random_candle(w, start, roll(1, chance(50) ? 20 : 2000));
    struct candle sum;
    if (chance(50) && oracle_sum(w->oracle, m, i, start, &sum)) {
        c = sum;
        c.rev = 1;
    }
    deliver(w, &(struct message){.kind = MESSAGE_CANDLE, .market = m, .interval = i, .candle = c});
}

static void fetch_windows(struct world *w, int m, enum interval i, int64_t from, int64_t to,
                          enum message_purpose purpose)
{
    for (int64_t at = from; at < to; at = interval_end(i, at))
        if (chance(70))
            send_own(w, m, i, at);
    if (from < to && w->oracle->markets[m].span_count < 500)
        deliver(w, &(struct message){.kind = MESSAGE_COVERED,
                                     .market = m,
                                     .interval = i,
                                     .from_ms = from,
                                     .to_ms = to,
                                     .purpose = purpose});
}

static void move_history(struct world *w)
{
    int m = (int)roll(0, ORACLE_MARKETS - 1);
    enum interval i = (enum interval)roll(INTERVAL_1M, INTERVAL_COUNT - 1);
    int64_t start = interval_start(i, w->now_ms - roll(0, 3600 * 1000));
    if (chance(20)) {
        send_own(w, m, i, start);
        return;
    }
    int64_t to = start;
    for (int64_t n = roll(1, 4); n > 0; n--)
        start = interval_prev(i, start);
    fetch_windows(w, m, i, start, to, random_purpose());
}

/* What a process does when it starts: open windows from the exchange, coarse to fine. */
void move_seed(struct world *w)
{
    int m = (int)roll(0, w->heard - 1);
    static const enum interval levels[] = {INTERVAL_1MO, INTERVAL_1D,  INTERVAL_4H, INTERVAL_1H,
                                           INTERVAL_30M, INTERVAL_15M, INTERVAL_5M, INTERVAL_1M};
    enum { LEVELS = sizeof levels / sizeof *levels };
    if (m > 0 && w->oracle->markets[m].first_heard_ms == 0)
        return;
    for (int k = 1; k < LEVELS; k++) {
        int64_t from = interval_start(levels[k - 1], w->now_ms);
        if (levels[k] == INTERVAL_1D && interval_start(INTERVAL_1W, w->now_ms) < from)
            from = interval_start(INTERVAL_1W, w->now_ms);
        fetch_windows(w, m, levels[k], from, interval_start(levels[k], w->now_ms), PURPOSE_SEED);
    }
    int64_t from = interval_start(INTERVAL_1M, w->now_ms);
    if (from < whole_second(w->now_ms))
        fetch_seconds(w, m, from, whole_second(w->now_ms), PURPOSE_SEED);
}

static void move_repair(struct world *w)
{
    int m = (int)roll(0, ORACLE_MARKETS - 1);
    enum interval i =
        chance(70) ? INTERVAL_1S : (enum interval)roll(INTERVAL_1M, INTERVAL_COUNT - 1);
    const struct oracle_rows *rows = &w->oracle->markets[m].rows[i];
    int64_t start = interval_start(i, w->now_ms - roll(0, 300) * 1000);
    if (rows->count && chance(70))
        start = rows->items[roll(0, (int64_t)rows->count - 1)].candle.start_ms;
    struct candle c = random_candle(w, start, roll(1, 20));
    c.repair = chance(90) ? ++w->repair : w->repair;
    c.tombstone = chance(40) && c.repair > 0;
    deliver(w, &(struct message){.kind = MESSAGE_CANDLE, .market = m, .interval = i, .candle = c});
}

void move(struct world *w)
{
    int64_t what = roll(0, 99);
    if (what < 45)
        move_second(w);
    else if (what < 78)
        move_watermark(w);
    else if (what < 82)
        move_gap(w);
    else if (what < 89)
        move_heal(w);
    else if (what < 94)
        move_history(w);
    else if (what < 95)
        move_seed(w);
    else
        move_repair(w);
}
