/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/tool: what the tools share: the data file of a folder, times as people write them, progress,
 * and how they stop. One thread; may block.
 */
#ifndef STOFKA_APP_TOOL_H
#define STOFKA_APP_TOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "store/store.h"

enum { TOOL_FAILED = 1, TOOL_USAGE = 2, TOOL_INTERRUPTED = 130 };

/* Source of the data file in folder; upbit where there is none yet (*found false). */
enum err tool_source(const char *folder, enum source *out, bool *found,
                     struct buf *error) MUST_CHECK;
/* Opens the data file to read, beside a running process too. ERR_CONFIG: there is none. */
enum err tool_open(const char *folder, struct store **store, struct store_reader **reader,
                   struct buf *error) MUST_CHECK;

/* ISO 8601, UTC unless it carries an offset, or a date alone. "" gives fallback. */
enum err tool_time(const char *flag, const char *text, int64_t fallback, int64_t *out,
                   struct buf *error) MUST_CHECK;
/* Market code and interval as flags give them. */
enum err tool_code(const char *text, struct buf *error) MUST_CHECK;
enum err tool_interval(const char *text, enum interval *out, struct buf *error) MUST_CHECK;

/* A tool's main: flags into settings, then work; what is left of argv are files, where it takes
 * some. Returns the exit code; errors are said. */
struct tool {
    const char *name;
    const struct config_row *rows;
    void *settings;
    bool takes_files;
    enum err (*work)(void *settings, char *const *files, int count, struct buf *error);
};
int tool_run(const struct tool *t, int argc, char **argv);

/* Says "stofka NAME: error", frees error, returns code. */
int tool_end(const char *name, struct buf *error, int code);
/* Usage: text, then the flags of rows, to standard output. */
int tool_usage(const char *text, const struct config_row *rows);

/* On a terminal one line that moves, else a line now and then; standard error. */
struct tool_progress {
    const char *what;
    int64_t shown_ms; /* monotonic */
    int64_t shown;    /* percent */
    bool on_terminal, open;
};
struct tool_progress tool_progress_new(const char *what);
void tool_progress_show(struct tool_progress *p, int64_t done, int64_t all, const char *detail);
void tool_progress_end(struct tool_progress *p);

/* SIGINT, SIGTERM ask the tool to stop at the next safe place. */
void tool_catch_signals(void);
bool tool_interrupted(void);

#endif
