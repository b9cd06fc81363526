/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: a small strict reader into a tree, for client requests, market files and captures.
 *
 * Nodes point into a copy of the text owned by the document; strings are unescaped, every value
 * also keeps its raw bytes so that a capture can be served byte for byte. One thread, no I/O.
 */
#ifndef SIM_JSON_H
#define SIM_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_type type;
    bool truth;      /* JSON_BOOL */
    char *text;      /* JSON_STRING, unescaped */
    char *key;       /* if a member of an object */
    const char *raw; /* source bytes of the value */
    size_t raw_len;
    struct json *child, *next; /* first member, next sibling */
};

struct json *json_parse(const char *text, size_t n); /* NULL if malformed; caller frees */
void json_free(struct json *root);
const struct json *json_get(const struct json *object, const char *key);
const char *json_text(const struct json *object, const char *key); /* NULL unless a string */

#endif
