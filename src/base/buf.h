/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/buf: a growable byte buffer, always NUL-terminated one past its length. One owner, one
 * thread. Zero-initialised (struct buf b = {0}) is a valid empty buffer.
 */
#ifndef STOFKA_BASE_BUF_H
#define STOFKA_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NULL while nothing was ever added */
    size_t len;
    size_t cap;
};

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_str(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t value);
void buf_i64(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds text as a JSON string with quotes and escapes (control characters as \u00xx; bytes that are
 * no UTF-8, as an exchange may send them, as \ufffd). */
void buf_json_str(struct buf *b, const char *text, size_t len);
char *buf_reserve(struct buf *b, size_t more); /* room for `more` bytes; returns the end */
void buf_clear(struct buf *b);                 /* len = 0, memory kept */
void buf_free(struct buf *b);                  /* back to {0} */

#endif
