/* SPDX-License-Identifier: Apache-2.0 */
/* store: what an implementation provides. All ops required but where NULL is said. Contracts as in
 * store.h; wrappers in store.c check arguments, time calls and count once for all implementations.
 */
#ifndef STOFKA_STORE_STORE_IMPL_H
#define STOFKA_STORE_STORE_IMPL_H

#include "store/store.h"

struct store_ops {
    const char *scheme; /* "sqlite" */
    bool rolls_up;      /* makes parents by itself */
    bool (*scheduled)(const struct store *s);
    enum err (*roll_up)(struct store *s, struct buf *error);
    enum err (*apply)(struct store *s, const struct store_batch *batch, struct buf *error);
    enum err (*prune)(struct store *s, enum interval i, int64_t before_ms, int64_t max_rows,
                      int64_t *deleted, struct buf *error);
    void (*free)(struct store *s);
    enum err (*reader_open)(struct store *s, struct store_reader **out, struct buf *error);
    void (*reader_free)(struct store_reader *r);
    void (*patience)(struct store_reader *r, int64_t ms); /* NULL: nothing is waited for */
    enum err (*hold)(struct store_reader *r, bool on);    /* NULL: nobody else writes */
    enum err (*meta)(struct store_reader *r, struct store_meta *out);
    enum err (*range)(struct store_reader *r, const struct store_query *q, store_row_f *each,
                      void *ctx, uint64_t *seq);
    enum err (*read_coverage)(struct store_reader *r, store_coverage_f *each, void *ctx);
    enum err (*read_gaps)(struct store_reader *r, const char *code, bool open_only, size_t limit,
                          store_gap_f *each, void *ctx);
    enum err (*read_events)(struct store_reader *r, int32_t partition, uint64_t after_seq,
                            store_event_f *each, void *ctx);
    enum err (*read_markets)(struct store_reader *r, store_market_f *each, void *ctx);
};

/* First members of the implementations' structs. */
struct store {
    const struct store_ops *ops;
    enum source source; /* set by store_open */
    bool read_only;
};
struct store_reader {
    const struct store_ops *ops;
};

/* path: what follows "sqlite:" in the url. */
enum err store_postgres_open(const struct store_settings *s, const char *conninfo,
                             struct store **out, struct buf *error);
enum err store_sqlite_open(const struct store_settings *s, const char *path, struct store **out,
                           struct buf *error);

void store_log_bytes_set(int64_t bytes); /* gauge of the write-ahead log */

#endif
