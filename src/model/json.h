/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/json: a strict pull reader for JSON from outside (RFC 8259), no allocation, number text
 * kept. Within its depth bound it accepts what libyajl accepts (tests hold them equal on mutated
 * input) but for what RFC 8259 forbids and libyajl 2.1 lets pass: \v and \f as white space, UTF-8
 * that RFC 3629 calls ill-formed (overlong forms, surrogates, beyond U+10FFFF), and the beginning
 * of a string behind the top-level value.
 *
 *     struct json j; json_open(&j, bytes, len);
 *     for (enum json_token t; (t = json_next(&j)) != JSON_END;) …
 *
 * Tokens come in document order; an object's member name is JSON_NAME before its value. After
 * JSON_BAD every call returns JSON_BAD; j.pos is the byte where it was noticed. JSON_END comes
 * only after one whole top-level value followed by nothing but white space.
 * Strings: UTF-8 checked; text points into the input between the quotes, escapes not decoded;
 * j.escaped says whether there are any (json_unescape decodes). One thread; input is borrowed.
 */
#ifndef STOFKA_MODEL_JSON_H
#define STOFKA_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum json_token {
    JSON_BAD,
    JSON_END,
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_NAME,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

enum { JSON_DEPTH_MAX = 64 };

struct json {
    const char *data;
    size_t len;
    size_t pos;
    const char *text; /* of the last NAME, STRING (without quotes) or NUMBER */
    size_t text_len;
    bool escaped;
    int depth;
    uint64_t in_object; /* bit d: container at depth d is an object */
    int state;          /* the reader's own */
};

void json_open(struct json *j, const char *data, size_t len);
enum json_token json_next(struct json *j);
/* What mostly comes next needs no reading: where the bytes of the next member of an object are
 * those of `text` (comma, name without escapes, colon: `,"code":`), takes them; the next token is
 * its value. false: they are others, and nothing was taken. */
bool json_take_member(struct json *j, const char *text, size_t len);
/* Skips the value whose first token t was just returned (a no-op for scalars). false: bad. */
bool json_skip(struct json *j, enum json_token t);
/* The last NAME or STRING, decoded, equals text. */
bool json_text_is(const struct json *j, const char *text);
/* Appends the last string decoded to UTF-8. ERR_INVALID for lone surrogates. */
enum err json_unescape(const struct json *j, struct buf *out) MUST_CHECK;
/* The same for the text of a NAME or STRING seen earlier, into out[size] with a NUL. ERR_INVALID:
 * lone surrogate; ERR_RANGE: does not fit. A decoded NUL is kept: compare with *out_len. */
enum err json_decode(const char *text, size_t len, char *out, size_t size,
                     size_t *out_len) MUST_CHECK;

#endif
