/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/config: one table row a key; the row yields parser, --help, `stofka config`, docs/config.md.
 *
 * Order of sources: default < file (`--config FILE`, lines `key = value`, # comments) < environment
 * (`STOFKA_STORE_URL` for store.url) < flag (`--store.url=…` or `--store.url …`, or the row's short
 * flag `--listen …`). Unknown key, bad value, value out of range: ERR_CONFIG with a message that
 * names the key, what was given and what is allowed. Immutable after config_load. A bool's bare
 * flag means true; of a flag or line given twice the last counts; `--` ends the flags; environment
 * variables that name no key are no concern of ours.
 */
#ifndef STOFKA_BASE_CONFIG_H
#define STOFKA_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum config_type { CONFIG_STRING, CONFIG_INT, CONFIG_BOOL, CONFIG_CHOICE };
enum config_flags { CONFIG_SECRET = 1 }; /* value never shown in logs, config, errors */

struct config_row {
    const char *key;  /* "store.url": room.name */
    const char *flag; /* short flag without dashes ("listen"), or NULL */
    enum config_type type;
    const char *def;     /* default as text */
    int64_t min, max;    /* CONFIG_INT */
    const char *choices; /* CONFIG_CHOICE: "a|b|c" */
    unsigned flags;
    size_t offset;    /* of the value in the settings struct: const char *, int64_t, bool */
    const char *help; /* meaning, with the unit */
};

struct config; /* parsed values and where each came from; owns all strings */

/* rows: a table ended by .key == NULL. settings: struct filled through offsets; its strings live
 * as long as *out. argv: the arguments after the subcommand; what is not a flag is left in *rest
 * (pointers into argv, *rest_count of them; the array is owned by *out). On ERR_CONFIG error
 * holds one line for the person. */
enum err config_load(const struct config_row *rows, int argc, char **argv, void *settings,
                     struct config **out, struct buf *error) MUST_CHECK;
void config_free(struct config **c);
char *const *config_rest(const struct config *c, int *count);

void config_show(const struct config *c, struct buf *out);            /* key, value, from */
void config_usage(const struct config_row *rows, struct buf *out);    /* for --help */
void config_markdown(const struct config_row *rows, struct buf *out); /* docs/config.md */

#endif
