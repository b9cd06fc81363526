/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fresh store of the kind that a URL's scheme names, for the tests of room store: sqlite is a
 * file in a directory of its own, postgres a schema of its own in the database that the environment
 * names in STOFKA_TEST_POSTGRES. And makers and readers of what the tests write.
 */
#ifndef STOFKA_TEST_STORE_FIXTURE_H
#define STOFKA_TEST_STORE_FIXTURE_H

#include "store/store.h"

struct fixture {
    char dir[64];
    char schema[64];
    char url[512];
    struct store_settings settings;
    struct store *store;
    struct store_reader *reader;
    struct buf error;
};

bool fixture_has(const char *scheme); /* the server that it needs is there */
void fixture_ask(const char *sql);    /* PostgreSQL, must succeed */
/* PostgreSQL: ends those connections of the store for which this SQL is true, and waits for it. */
void fixture_cut(struct fixture *f, const char *which);
void fixture_make(struct fixture *f, const char *scheme); /* nothing opened yet */
void fixture_open(struct fixture *f);                     /* must succeed */
void fixture_close(struct fixture *f);
void fixture_remove(struct fixture *f); /* closes too */
/* cmocka's set-up and tear-down: *state is a fixture, opened on PostgreSQL. */
int fixture_on_postgres(void **state);
int fixture_gone(void **state);

/* A candle whose every field differs from another n's. */
struct store_row row_of(const char *code, enum interval i, int64_t start_ms, int n);
void assert_same_candle(const struct candle *a, const struct candle *b);

/* Must succeed. Parents are true afterwards. */
void apply(struct fixture *f, const struct store_batch *b);
/* A lane moves, and a row with it; NULL: none. */
enum err put(struct store *s, const struct store_row *row, struct store_lane lane,
             struct buf *error);

enum { FOUND_MAX = 4096 };
struct found {
    size_t count;
    uint64_t seq;
    struct candle rows[FOUND_MAX];
};
/* Newest first, all of one series. */
void find_all(struct store_reader *r, const char *code, enum interval i, struct found *out);
void find(struct store_reader *r, const struct store_query *q, struct found *out);

/* All that readers can see, as text: equal text, equal store. */
void dump(struct store_reader *r, struct buf *out);

#endif
