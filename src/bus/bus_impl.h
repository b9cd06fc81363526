/* SPDX-License-Identifier: Apache-2.0 */
/* bus: what an implementation provides. All ops required but those of busses that assign. Contracts
 * as in bus.h; wrappers in bus.c check arguments and count once for all implementations. */
#ifndef STOFKA_BUS_BUS_IMPL_H
#define STOFKA_BUS_BUS_IMPL_H

#include "bus/bus.h"

struct bus_ops {
    const char *scheme; /* "memory" */
    enum err (*publish)(struct bus *b, const struct bus_message *m);
    enum err (*publish_row)(struct bus *b, const struct bus_message *m); /* NULL: has none */
    void (*on_ready)(struct bus *b, void (*wake)(void *ctx), void *ctx);
    enum err (*poll)(struct bus *b, struct bus_message *out);
    bool assigns; /* the next five are needed only then */
    enum err (*start)(struct bus *b, int32_t partition, int64_t next);
    void (*given)(struct bus *b, int32_t partition);
    int64_t (*behind)(const struct bus *b, int32_t partition);
    void (*pause)(struct bus *b, bool paused);
    void (*reject)(struct bus *b, const char *reason);
    void (*close)(struct bus *b);
    void (*free)(struct bus *b);
};

/* First member of every implementation's struct. */
struct bus {
    const struct bus_ops *ops;
    int32_t partitions;
    char epoch[BUS_EPOCH_MAX];
};

/* Settings were checked by bus_open: epoch fits, positions are in range. */
enum err bus_memory_open(const struct bus_settings *s, struct bus **out, struct buf *error);
enum err bus_kafka_open(const struct bus_settings *s, struct bus **out, struct buf *error);

/* The partition that m goes to: by its key, or the one it names. */
int32_t bus_route(const struct bus *b, const struct bus_message *m);

/* Adds to the gauges of what waits in this process. Any thread. */
void bus_waiting_add(int64_t messages, int64_t bytes);

#endif
