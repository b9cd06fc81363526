/* SPDX-License-Identifier: Apache-2.0 */
/* A reader whose client forgets nothing, through random updates, reads and reconnects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve_fixture.h"

/* --- a client with a memory --------------------------------------------------------------- */

struct client {
    struct serve_hub hub;
    struct serve_reader reader;
    struct serve_cursor at; /* its Last-Event-ID */
    uint64_t made;          /* events there are */
    uint64_t next;          /* number it must see next */
    bool half;              /* has seen the candle of next, not its postgres-candle */
    int newest[2], seen[2]; /* tickers of KRW-A, KRW-B */
};

static void client_connect(struct client *c)
{
    serve_reader_fini(&c->reader);
    serve_reader_init(&c->reader, &c->hub);
    serve_reader_resume(&c->reader, &c->at);
    fixture_follow(&c->reader, "ticker:*", &c->at);
    fixture_follow(&c->reader, "candle.1s:*", &c->at);
    fixture_follow(&c->reader, "postgres-candle.1s:*", &c->at);
}

/* The id line of a frame, read as a client's cursor would be. */
static void read_id(const struct serve_hub *h, const struct serve_frame *f, struct serve_cursor *at)
{
    const char *end = memchr(f->bytes, '\n', f->len);
    assert_non_null(end);
    assert_memory_equal(f->bytes, "id: ", 4);
    assert_null(serve_hub_cursor(h, f->bytes + 4, (size_t)(end - f->bytes) - 4, at));
}

enum { TEXT_SIZE = 512 };

/* A frame ends without the NUL that sscanf wants. */
static const char *text_of(const struct serve_frame *f, char out[TEXT_SIZE])
{
    assert_true(f->len < TEXT_SIZE);
    memcpy(out, f->bytes, f->len);
    out[f->len] = '\0';
    return out;
}

static void client_sees(struct client *c, const struct serve_piece *p)
{
    char market;
    int value;
    if (p->change && p->id) {
        assert_int_equal(p->at.seq, c->next);
        assert_int_equal(p->at.half, !c->half);
        c->next += c->half;
        c->half = !c->half;
    }
    if (p->id) {
        /* It has all that the id claims. */
        read_id(&c->hub, p->frame, &c->at);
        assert_true(c->at.seq[0] + 1 == c->next || (c->at.half && c->at.seq[0] == c->next));
    }
    char text[TEXT_SIZE];
    if (sscanf(text_of(p->frame, text), "event: ticker\ndata: T%c%d", &market, &value) == 2) {
        assert_true(value >= c->seen[market - 'A']);
        c->seen[market - 'A'] = value;
    }
}

/* Takes a random part of what a random budget yields. */
static void client_reads(struct client *c, bool all)
{
    struct serve_batch b = {0};
    serve_reader_collect(&c->reader, all ? 1 << 20 : (size_t)(rand() % 300), NULL, NULL, &b);
    size_t n = all ? b.count : (size_t)rand() % (b.count + 1);
    for (size_t i = 0; i < n; i++)
        client_sees(c, &b.pieces[i]);
    (void)serve_reader_commit(&c->reader, &b, n);
    serve_batch_clear(&b);
}

static void something_happens(struct client *c)
{
    int m = rand() % 2;
    const char *code = m ? "KRW-B" : "KRW-A";
    if (rand() % 3)
        fixture_event(&c->hub, code, INTERVAL_1S, ++c->made);
    else
        fixture_ticker(&c->hub, code, ++c->newest[m]);
}

/* Random updates, reads and reconnects: each event once and in order, no id ahead of what was
 * seen, and in the end the newest state. */
static void random_client_misses_nothing(void **state)
{
    (void)state;
    srand(11);
    for (int round = 0; round < 30; round++) {
        struct client c = {.at = {.lanes = 1}, .next = 1};
        fixture_hub_open(&c.hub, 5000, 1 << 24);
        serve_reader_init(&c.reader, &c.hub);
        client_connect(&c);
        for (int step = 0; step < 600; step++) {
            int what = rand() % 8;
            if (what < 3)
                something_happens(&c);
            else if (what == 3)
                client_connect(&c);
            else
                client_reads(&c, false);
        }
        for (int i = 0; i < 4; i++)
            client_reads(&c, true);
        assert_int_equal(c.next, c.made + 1);
        assert_memory_equal(c.seen, c.newest, sizeof c.seen);
        serve_reader_fini(&c.reader);
        serve_hub_fini(&c.hub);
    }
}

/* --- clients side by side ------------------------------------------------------------------ */

enum { CROWD = 6 };

/* What a reader was sent, and what it would have been sent alone. */
struct neighbour {
    struct serve_reader reader, alone;
    struct buf got, want;
};

static void take_all(struct serve_reader *r, struct serve_batch *b, struct buf *out)
{
    serve_reader_collect(r, 1 << 20, NULL, NULL, b);
    size_t bytes = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct serve_frame *f = b->pieces[i].frame;
        if (b->block)
            assert_memory_equal(b->block->bytes + bytes, f->bytes, f->len);
        buf_add(out, f->bytes, f->len);
        bytes += f->len;
    }
    if (b->block)
        assert_int_equal(b->block->len, bytes);
    (void)serve_reader_commit(r, b, b->count);
}

/* Half of them follow the same in another order, two follow less. */
static void neighbour_follows(struct serve_reader *r, struct serve_hub *h, int n)
{
    static const char *const subs[] = {"ticker:*", "candle.1s:KRW-A", "postgres-candle.1s:KRW-B"};
    serve_reader_init(r, h);
    for (int k = 0; k < (n < 2 ? 2 : 3); k++)
        fixture_follow(r, subs[n % 2 ? 2 - k : k], NULL);
}

static void happens_to(struct serve_hub *h, uint64_t *made, int *tickers)
{
    const char *code = rand() % 2 ? "KRW-A" : "KRW-B";
    if (rand() % 3)
        fixture_event(h, code, INTERVAL_1S, ++*made);
    else
        fixture_ticker(h, code, ++*tickers);
}

/* Readers of one batch after another are sent what each would be sent with a batch of its own, and
 * batches are in fact shared. */
static void a_shared_batch_is_what_each_lacks(void **state)
{
    (void)state;
    struct serve_hub h;
    struct neighbour crowd[CROWD] = {0};
    struct serve_batch shared = {0};
    uint64_t made = 0;
    int tickers = 0, blocks = 0;
    srand(23);
    fixture_hub_open(&h, 5000, 1 << 24);
    for (int n = 0; n < CROWD; n++) {
        neighbour_follows(&crowd[n].reader, &h, n);
        neighbour_follows(&crowd[n].alone, &h, n);
    }
    for (int step = 0; step < 2000; step++) {
        struct neighbour *one = &crowd[step % CROWD];
        if (rand() % 8 == 0)
            happens_to(&h, &made, &tickers);
        if (rand() % 8 == 0) /* it stays behind the others for this turn */
            continue;
        take_all(&one->reader, &shared, &one->got);
        blocks += shared.block != NULL;
        struct serve_batch own = {0};
        take_all(&one->alone, &own, &one->want);
        assert_null(own.block);
        serve_batch_clear(&own);
    }
    assert_true(blocks > 100);
    serve_batch_clear(&shared);
    for (int n = 0; n < CROWD; n++) {
        assert_int_equal(crowd[n].got.len, crowd[n].want.len);
        assert_memory_equal(crowd[n].got.data, crowd[n].want.data, crowd[n].got.len);
        serve_reader_fini(&crowd[n].reader);
        serve_reader_fini(&crowd[n].alone);
        buf_free(&crowd[n].got);
        buf_free(&crowd[n].want);
    }
    serve_hub_fini(&h);
}

/* --- a client between replicas ------------------------------------------------------------ */

enum { LANES = 3, REPLICAS = 2, MADE_MAX = 200 };

/* Two replicas are given the same lanes at paces of their own. The client follows one market of
 * each lane; lane 2 is an outbox: its events are postgres-candle alone. */
struct roamer {
    struct serve_hub hubs[REPLICAS];
    uint64_t given[REPLICAS][LANES];
    uint64_t made[LANES];
    struct serve_reader reader;
    int with; /* which replica */
    struct serve_cursor at;
    uint64_t seen[LANES];
};

static const char *const roamer_codes[LANES] = {"KRW-A", "KRW-B", "KRW-C"};

/* Events stand at the ends of their messages, but for every third. */
static uint64_t seq_of(uint64_t n)
{
    return n << SERVE_SEQ_EVENT_BITS | (n % 3 ? 0xfffff : 4);
}

static void roamer_give(struct roamer *r, int replica, int lane)
{
    char json[32];
    struct serve_event e = {.lane = lane, .kind = SERVE_CANDLE, .json = json};
    if (r->given[replica][lane] == r->made[lane])
        return;
    uint64_t n = ++r->given[replica][lane];
    e.seq = seq_of(n);
    e.as = lane == 2 ? SERVE_AS_POSTGRES : SERVE_AS_CANDLE;
    e.len = (size_t)snprintf(json, sizeof json, "L%d %d", lane, (int)n);
    snprintf(e.code, sizeof e.code, "%s", roamer_codes[lane]);
    serve_hub_event(&r->hubs[replica], &e);
    serve_hub_released(&r->hubs[replica], lane, n << SERVE_SEQ_EVENT_BITS | 0xfffff);
}

static void roamer_connect(struct roamer *r, int replica)
{
    struct serve_cursor at;
    struct buf text = {0};
    serve_reader_fini(&r->reader);
    r->with = replica;
    buf_str(&text, "e:");
    serve_cursor_write(&text, &r->at);
    assert_null(serve_hub_cursor(&r->hubs[replica], text.data, text.len, &at));
    buf_free(&text);
    assert_memory_equal(at.seq, r->at.seq, sizeof at.seq);
    serve_reader_init(&r->reader, &r->hubs[replica]);
    serve_reader_resume(&r->reader, &at);
    fixture_follow(&r->reader, "candle.1s:KRW-A", &at);
    fixture_follow(&r->reader, "candle.1s:*", &at);
    fixture_follow(&r->reader, "postgres-candle.1s:*", &at);
}

static void roamer_sees(struct roamer *r, const struct serve_piece *p)
{
    int lane, n;
    char text[TEXT_SIZE];
    const char *data = strstr(text_of(p->frame, text), "data: L");
    if (data && sscanf(data, "data: L%d %d", &lane, &n) == 2)
        assert_int_equal(n, ++r->seen[lane]);
    if (!p->id)
        return;
    read_id(&r->hubs[r->with], p->frame, &r->at);
    for (lane = 0; lane < LANES; lane++) /* it has all that the id claims, and no less */
        assert_int_equal(r->at.seq[lane] >> SERVE_SEQ_EVENT_BITS, r->seen[lane]);
}

static void roamer_reads(struct roamer *r, bool all)
{
    static struct serve_batch b;
    serve_reader_collect(&r->reader, all ? 1 << 20 : (size_t)(rand() % 300), NULL, NULL, &b);
    size_t n = all ? b.count : (size_t)rand() % (b.count + 1);
    for (size_t i = 0; i < n; i++)
        roamer_sees(r, &b.pieces[i]);
    (void)serve_reader_commit(&r->reader, &b, n);
    serve_batch_clear(&b);
}

static void roamer_open(struct roamer *r)
{
    *r = (struct roamer){.at = {.lanes = LANES}};
    for (int k = 0; k < REPLICAS; k++) {
        serve_hub_init(&r->hubs[k], 5000, 1 << 24);
        serve_hub_lanes(&r->hubs[k], LANES);
        r->hubs[k].source = &fixture_quiet;
        serve_hub_epoch(&r->hubs[k], "e");
        for (int lane = 0; lane < LANES; lane++)
            serve_hub_market(&r->hubs[k], roamer_codes[lane], "", "", true);
    }
    serve_reader_init(&r->reader, &r->hubs[0]);
}

static void roamer_ends(struct roamer *r)
{
    for (int k = 0; k < REPLICAS; k++)
        for (int lane = 0; lane < LANES; lane++)
            while (r->given[k][lane] < r->made[lane])
                roamer_give(r, k, lane);
    roamer_reads(r, true);
    roamer_reads(r, true);
    assert_memory_equal(r->seen, r->made, sizeof r->seen);
    assert_null(r->reader.catch_up);
    serve_reader_fini(&r->reader);
    for (int k = 0; k < REPLICAS; k++)
        serve_hub_fini(&r->hubs[k]);
}

/* However the replicas interleave the lanes and however far apart they are, a client that goes from
 * one to the other with its cursor sees each event once and in its lane's order. */
static void roaming_client_misses_nothing(void **state)
{
    (void)state;
    srand(12);
    for (int round = 0; round < 60; round++) {
        static struct roamer r;
        roamer_open(&r);
        roamer_connect(&r, 0);
        for (int step = 0; step < 900; step++) {
            int what = rand() % 12, lane = rand() % LANES;
            if (what < 2 && r.made[lane] < MADE_MAX)
                r.made[lane]++;
            else if (what < 8)
                roamer_give(&r, rand() % REPLICAS, lane);
            else if (what == 8)
                roamer_connect(&r, rand() % REPLICAS);
            else
                roamer_reads(&r, false);
        }
        roamer_ends(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_client_misses_nothing),
        cmocka_unit_test(a_shared_batch_is_what_each_lacks),
        cmocka_unit_test(roaming_client_misses_nothing),
    };
    return cmocka_run_group_tests_name("serve_reader", tests, NULL, NULL);
}
