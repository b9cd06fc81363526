/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/row: a second candle in the envelope that Kafka Connect's sinks want: the schema beside the
 * values. Numbers travel as text, since Connect's own number types are either doubles or bytes in
 * base64; the database reads the text exactly (deploy/connect/staging.sql). Pure.
 */
#ifndef STOFKA_APP_ROW_H
#define STOFKA_APP_ROW_H

#include "base/buf.h"
#include "model/candle.h"

/* Adds {"schema":{…},"payload":{"code":…,"candle_time":"2026-03-11T14:40:00",…}} to out. */
void row_write(struct buf *out, const char *code, const struct candle *c);

#endif
