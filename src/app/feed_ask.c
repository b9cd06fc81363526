/* SPDX-License-Identifier: Apache-2.0 */
/* What others want to know of the feed. */
#include "app/feed_impl.h"

int32_t feed_lane(const struct feed *f, const char *code)
{
    return bus_partition_of(f->s.bus, code);
}

/* NULL: the lane is not here, or stands, or is about to. */
static struct candle_engine *engine_of(const struct lane *l)
{
    return l && l->engine && !candle_engine_failed(l->engine) ? l->engine : NULL;
}

struct candle_engine *feed_engine(struct feed *f, const char *code)
{
    return engine_of(lane_of(f, code));
}

uint64_t feed_released(const struct feed *f, const char *code)
{
    const struct lane *l = lane_of(f, code);
    return l ? l->released_seq : 0;
}

uint64_t feed_seq(const struct feed *f, const char *code)
{
    const struct lane *l = lane_of(f, code);
    return l ? l->seq : 0;
}

void feed_open_gaps(struct feed *f, candle_gap_f *each, void *ctx)
{
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        if (engine_of(f->lanes[p]))
            candle_engine_open_gaps(f->lanes[p]->engine, each, ctx);
}

int64_t feed_watermark_ms(const struct feed *f)
{
    int64_t newest = 0;
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        if (engine_of(f->lanes[p]) && candle_engine_watermark_ms(f->lanes[p]->engine) > newest)
            newest = candle_engine_watermark_ms(f->lanes[p]->engine);
    return newest;
}

int64_t feed_last_watermark_mono_ms(const struct feed *f)
{
    int64_t newest = 0;
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        if (f->lanes[p] && f->lanes[p]->watermark_mono_ms > newest)
            newest = f->lanes[p]->watermark_mono_ms;
    return newest;
}

uint64_t feed_commits(const struct feed *f)
{
    return f->commits;
}

const char *feed_trouble(const struct feed *f)
{
    if (f->trouble == NULL && f->away_mono_ms)
        return "old rows can't be read, partitions wait";
    return f->trouble;
}

size_t feed_pending_rows(const struct feed *f)
{
    return batch_rows(f->building);
}

bool feed_follows(const struct feed *f)
{
    return f->s.follows;
}

bool feed_page_is_good(const struct feed *f, const char *code, enum interval i, int64_t from_ms,
                       int64_t to_ms, uint64_t seq)
{
    const struct lane *l = lane_of(f, code);
    struct change_span span = {code, i, from_ms, to_ms};
    return !l || !l->changes || !changes_hit(l->changes, &span, seq, l->rolled_seq);
}

bool feed_has_all_lanes(const struct feed *f)
{
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        if (!f->lanes[p])
            return false;
    return true;
}

bool feed_is_warm(const struct feed *f, struct buf *why)
{
    for (int32_t p = 0; f->s.follows && p < bus_partitions(f->s.bus); p++)
        if (!f->lanes[p] || !f->lanes[p]->is_warm) {
            buf_printf(why, "partition %d is still being caught up with", (int)p);
            return false;
        }
    return true;
}

uint64_t feed_lane_seq(const struct feed *f, int32_t partition)
{
    return f->lanes[partition] ? f->lanes[partition]->released_seq : 0;
}
