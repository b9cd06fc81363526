/* SPDX-License-Identifier: Apache-2.0 */
#include "app/audit_compare.h"

#include "model/decimal.h"

const char *audit_kind_name(enum audit_kind k)
{
    static const char *const names[] = {
        [AUDIT_WRONG] = "wrong",   [AUDIT_CHILDREN] = "children", [AUDIT_EXCHANGE] = "exchange",
        [AUDIT_ROLLUP] = "rollup", [AUDIT_UNPROVEN] = "unproven",
    };
    return names[k];
}

/* Half a unit for each second here, half a unit for the window there. */
static decimal_units amount_slack(enum interval i, int64_t start_ms)
{
    return i == INTERVAL_1S ? 0 : ((interval_end(i, start_ms) - start_ms) / 1000 + 1) / 2;
}

static bool same_amount(enum interval i, const struct candle *ours, const struct candle *theirs)
{
    if (ours->source == SOURCE_IMPORTED && ours->amount == 0)
        return true;
    decimal_units d = ours->amount - theirs->amount;
    return (d < 0 ? -d : d) <= amount_slack(i, ours->start_ms);
}

bool audit_same(enum interval i, const struct candle *ours, const struct candle *theirs)
{
    if (!ours || !theirs)
        return ours == theirs;
    return ours->open == theirs->open && ours->high == theirs->high && ours->low == theirs->low &&
           ours->close == theirs->close && ours->volume == theirs->volume &&
           same_amount(i, ours, theirs);
}

void audit_pairs(const struct candle *ours, size_t our_count, const struct candle *theirs,
                 size_t their_count, audit_pair_f *each, void *ctx)
{
    size_t a = 0, b = 0;
    while (a < our_count || b < their_count) {
        bool here = a < our_count && (b == their_count || ours[a].start_ms >= theirs[b].start_ms);
        bool there = b < their_count && (a == our_count || theirs[b].start_ms >= ours[a].start_ms);
        each(ctx, here ? ours[a].start_ms : theirs[b].start_ms, here ? &ours[a] : NULL,
             there ? &theirs[b] : NULL);
        a += here;
        b += there;
    }
}

struct agreement {
    enum interval interval;
    int64_t from_ms;
    bool agrees;
};

static void agree(void *ctx, int64_t start_ms, const struct candle *ours,
                  const struct candle *theirs)
{
    struct agreement *a = ctx;
    ours = ours && !ours->tombstone ? ours : NULL;
    if (start_ms >= a->from_ms && !audit_same(a->interval, ours, theirs))
        a->agrees = false;
}

size_t audit_windows(enum interval i, int64_t from_ms, int64_t to_ms, size_t max)
{
    size_t count = 0;
    for (; from_ms < to_ms && count < max; count++)
        from_ms = interval_end(i, from_ms);
    return count;
}

bool audit_agree(enum interval i, int64_t from_ms, const struct candle *ours, size_t our_count,
                 const struct candle *theirs, size_t their_count)
{
    struct agreement a = {i, from_ms, true};
    audit_pairs(ours, our_count, theirs, their_count, agree, &a);
    return a.agrees;
}

bool audit_is_sum(const struct candle *ours, const struct candle *children, size_t count)
{
    struct candle sum = {.tombstone = true};
    int64_t start_ms = ours ? ours->start_ms : 0;
    for (size_t k = count; k-- > 0;) {
        if (children[k].tombstone)
            continue;
        if (sum.tombstone)
            candle_roll_first(&sum, start_ms, &children[k]);
        else
            candle_roll_add(&sum, &children[k]);
    }
    if (!ours || sum.tombstone)
        return !ours && sum.tombstone;
    return sum.open == ours->open && sum.high == ours->high && sum.low == ours->low &&
           sum.close == ours->close && sum.volume == ours->volume && sum.amount == ours->amount;
}

static void add_field(struct buf *out, const char *name, decimal_units ours, decimal_units theirs)
{
    char here[DECIMAL_TEXT_MAX], there[DECIMAL_TEXT_MAX];
    if (ours == theirs)
        return;
    decimal_write(ours, DECIMAL_SCALE, here);
    decimal_write(theirs, DECIMAL_SCALE, there);
    buf_printf(out, "%s%s stored %s, exchange %s", out->len ? "; " : "", name, here, there);
}

static void add_alone(struct buf *out, const char *who, const struct candle *c)
{
    char price[DECIMAL_TEXT_MAX], volume[DECIMAL_TEXT_MAX];
    decimal_write(c->close, DECIMAL_SCALE, price);
    decimal_write(c->volume, DECIMAL_SCALE, volume);
    buf_printf(out, "%s: trade_price %s, candle_acc_trade_volume %s", who, price, volume);
}

void audit_text(struct buf *out, const struct audit_difference *d)
{
    struct buf text = {0};
    if (!d->stored)
        add_alone(&text, "not stored, exchange has one", &d->theirs);
    if (!d->served)
        add_alone(&text, "stored, exchange has none", &d->ours);
    if (d->stored && d->served) {
        add_field(&text, "opening_price", d->ours.open, d->theirs.open);
        add_field(&text, "high_price", d->ours.high, d->theirs.high);
        add_field(&text, "low_price", d->ours.low, d->theirs.low);
        add_field(&text, "trade_price", d->ours.close, d->theirs.close);
        add_field(&text, "candle_acc_trade_volume", d->ours.volume, d->theirs.volume);
        add_field(&text, "candle_acc_trade_price", d->ours.amount, d->theirs.amount);
    }
    if (text.len)
        buf_add(out, text.data, text.len);
    buf_free(&text);
}

struct candle audit_repair(const struct audit_difference *d)
{
    struct candle c = d->theirs;
    /* A candle must have prices even where it says that there is none. */
    if (!d->served)
        c = (struct candle){.start_ms = d->start_ms,
                            .open = 1,
                            .high = 1,
                            .low = 1,
                            .close = 1,
                            .timestamp_ms = d->start_ms,
                            .tombstone = true};
    c.repair = d->repair + 1;
    return c;
}
