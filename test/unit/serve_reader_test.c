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
    struct serve_position at; /* its Last-Event-ID */
    uint64_t made;            /* events there are */
    uint64_t next;            /* number it must see next */
    bool half;                /* has seen the candle of next, not its postgres-candle */
    int newest[2], seen[2];   /* tickers of KRW-A, KRW-B */
};

static void client_connect(struct client *c)
{
    serve_reader_fini(&c->reader);
    serve_reader_init(&c->reader, &c->hub);
    fixture_follow(&c->reader, "ticker:*", &c->at);
    fixture_follow(&c->reader, "candle.1s:*", &c->at);
    fixture_follow(&c->reader, "postgres-candle.1s:*", &c->at);
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
        assert_true(p->at.seq + 1 == c->next || (p->at.half && p->at.seq == c->next));
        c->at = p->at;
    }
    if (sscanf(p->frame->bytes, "event: ticker\ndata: T%c%d", &market, &value) == 2) {
        assert_true(value >= c->seen[market - 'A']);
        c->seen[market - 'A'] = value;
    }
}

/* Takes a random part of what a random budget yields. */
static void client_reads(struct client *c, bool all)
{
    static struct serve_batch b;
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
        struct client c = {.next = 1};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_client_misses_nothing),
    };
    return cmocka_run_group_tests_name("serve_reader", tests, NULL, NULL);
}
