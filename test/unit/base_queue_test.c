/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/queue.h"
#include "check.h"

static _Atomic int wakes;

static void count_wake(void *ctx)
{
    assert_ptr_equal(ctx, &wakes);
    wakes++;
}

static void items_come_out_in_order_up_to_the_bound(void **state)
{
    (void)state;
    int items[4];
    struct queue *q = queue_new(3, NULL, NULL);
    assert_null(queue_pop(q));
    for (int round = 0; round < 5; round++) { /* the ring turns */
        for (int i = 0; i < 3; i++)
            assert_int_equal(queue_push(q, &items[i]), OK);
        assert_int_equal(queue_push(q, &items[3]), ERR_FULL);
        assert_int_equal(queue_len(q), 3);
        for (int i = 0; i < 2; i++)
            assert_ptr_equal(queue_pop(q), &items[i]);
        assert_int_equal(queue_push(q, &items[3]), OK);
        assert_ptr_equal(queue_pop(q), &items[2]);
        assert_ptr_equal(queue_pop(q), &items[3]);
        assert_null(queue_pop(q));
    }
    queue_free(&q);
    assert_null(q);
}

static void the_consumer_is_woken_once_a_filling(void **state)
{
    (void)state;
    int item;
    wakes = 0;
    struct queue *q = queue_new(10, count_wake, &wakes);
    for (int i = 0; i < 3; i++)
        assert_int_equal(queue_push(q, &item), OK);
    assert_int_equal(wakes, 1);
    while (queue_pop(q))
        ;
    assert_int_equal(queue_push(q, &item), OK);
    assert_int_equal(wakes, 2);
    queue_close(q);
    assert_int_equal(wakes, 3); /* closing is news too */
    queue_free(&q);
}

static void a_closed_queue_drains(void **state)
{
    (void)state;
    int item;
    struct queue *q = queue_new(2, NULL, NULL);
    assert_int_equal(queue_push(q, &item), OK);
    queue_close(q);
    assert_int_equal(queue_push(q, &item), ERR_CLOSED);
    assert_ptr_equal(queue_wait(q, -1), &item);
    assert_null(queue_wait(q, -1));
    assert_null(queue_pop(q));
    queue_free(&q);
}

static void waiting_ends_with_the_time(void **state)
{
    (void)state;
    struct queue *q = queue_new(1, NULL, NULL);
    int64_t before = clock_mono_ms();
    assert_null(queue_wait(q, 0));
    assert_null(queue_wait(q, 20));
    assert_true(clock_mono_ms() - before >= 19);
    queue_free(&q);
}

enum { PRODUCERS = 4, ITEMS = 20000 };
static char tokens[PRODUCERS][ITEMS]; /* only their addresses travel */

struct producer {
    struct queue *q;
    int index;
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (int i = 0; i < ITEMS; i++)
        while (queue_push(p->q, &tokens[p->index][i]) == ERR_FULL)
            sched_yield();
    return NULL;
}

/* Every item of every producer arrives once and in that producer's order. */
static void many_producers_lose_nothing(void **state)
{
    (void)state;
    struct queue *q = queue_new(64, NULL, NULL);
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    for (int p = 0; p < PRODUCERS; p++) {
        producers[p] = (struct producer){q, p};
        assert_int_equal(pthread_create(&threads[p], NULL, produce, &producers[p]), 0);
    }
    int next[PRODUCERS] = {0};
    for (int n = 0; n < PRODUCERS * ITEMS; n++) {
        char *item = queue_wait(q, 30000);
        assert_non_null(item);
        long at = item - &tokens[0][0];
        assert_int_equal(at % ITEMS, next[at / ITEMS]++);
    }
    for (int p = 0; p < PRODUCERS; p++)
        pthread_join(threads[p], NULL);
    assert_int_equal(queue_len(q), 0);
    queue_free(&q);
}

static void *wait_for_ever(void *q)
{
    return queue_wait(q, -1);
}

static void closing_wakes_who_waits(void **state)
{
    (void)state;
    pthread_t thread;
    void *got = &thread;
    struct queue *q = queue_new(1, NULL, NULL);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, q), 0);
    queue_close(q);
    pthread_join(thread, &got);
    assert_null(got);
    queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order_up_to_the_bound),
        cmocka_unit_test(the_consumer_is_woken_once_a_filling),
        cmocka_unit_test(a_closed_queue_drains),
        cmocka_unit_test(waiting_ends_with_the_time),
        cmocka_unit_test(many_producers_lose_nothing),
        cmocka_unit_test(closing_wakes_who_waits),
    };
    return cmocka_run_group_tests_name("base_queue", tests, NULL, NULL);
}
