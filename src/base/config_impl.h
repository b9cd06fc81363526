/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/config_impl: what the files of config share; nobody else includes it.
 */
#ifndef STOFKA_BASE_CONFIG_IMPL_H
#define STOFKA_BASE_CONFIG_IMPL_H

#include "base/config.h"

struct config_value {
    char *text; /* owned */
    char *from; /* owned: "default", "file stofka.conf:3", "environment STOFKA_X", "flag --x" */
};

struct config {
    const struct config_row *rows;
    struct config_value *values; /* one a row */
    char **rest;                 /* pointers into argv */
    int rest_count;
};

/* Cuts the next `key = value` out of *text (NUL-terminated, changed in place), skipping blank and
 * comment lines. *line counts lines from 1. OK with *key == NULL: no more. ERR_INVALID: the line
 * has no '=' or no key. */
enum err config_file_next(char **text, int *line, char **key, char **value) MUST_CHECK;

/* Checks a value against its row and, when settings is not NULL, stores it. `text` must outlive
 * settings. ERR_CONFIG: error says what is allowed and, unless secret, what was given. */
enum err config_value_set(const struct config_row *row, const char *text, const char *from,
                          void *settings, struct buf *error) MUST_CHECK;

/* What a row accepts, for people: "a|b|c", "1 ... 65535", "true|false", "text". */
void config_allowed(const struct config_row *row, struct buf *out);

/* "store.url" as "STOFKA_STORE_URL". */
void config_env_name(const struct config_row *row, struct buf *out);

#endif
