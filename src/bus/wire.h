/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus/wire: a message as it travels through Kafka. The value is the message's own text, unchanged;
 * the key is the market code, absent for a message to a partition as a whole; the rest is headers:
 *
 *     kind        ticker, candle, trade, watermark, covered, gap, repair, markets
 *     source      upbit, simulated, replay, imported
 *     collector   who published, up to 15 printable ASCII characters
 *     receive_ms  wall clock when heard, decimal, 0 where it was not
 *
 * Each header once; others are passed over, so that later versions may add some. Pure; any thread.
 */
#ifndef STOFKA_BUS_WIRE_H
#define STOFKA_BUS_WIRE_H

#include "bus/bus.h"

enum { WIRE_HEADERS = 4, WIRE_NUMBER_MAX = 24 };

struct wire_header {
    const char *name;
    const void *value; /* borrowed; not terminated */
    size_t len;
};

/* Fills out; the values point into m, static text and number. */
void wire_write(const struct bus_message *m, char number[WIRE_NUMBER_MAX],
                struct wire_header out[WIRE_HEADERS]);

/* Sets kind, code, value, len, receive_ms, source and collector of *out; value is borrowed.
 * ERR_INVALID: *reason (static) says what can't be read; *out is untouched. */
enum err wire_read(const struct wire_header *headers, size_t count, const struct wire_header *key,
                   const struct wire_header *value, struct bus_message *out,
                   const char **reason) MUST_CHECK;

#endif
