/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/tool_admin: how a writing tool reaches the one process that may write a data folder: the
 * running one through its admin listener, or, where none runs, one of its own that lives as long
 * as the tool does. One thread; blocks.
 */
#ifndef STOFKA_APP_TOOL_ADMIN_H
#define STOFKA_APP_TOOL_ADMIN_H

#include "base/buf.h"
#include "base/err.h"

struct tool_admin;

struct tool_admin_settings {
    const char *admin;    /* URL of an admin listener; "": whoever has the folder, or an own one */
    const char *data;     /* the folder */
    const char *exchange; /* of an own process: "none" or as `run` takes it */
    const char *codes;    /* of an own process, when it hears */
};

/* ERR_CONFIG: how to reach the process that has the folder is not known. ERR_IO: none started. */
enum err tool_admin_open(const struct tool_admin_settings *s, struct tool_admin **out,
                         struct buf *error) MUST_CHECK;
/* Ends an own process: what it took is committed. */
void tool_admin_close(struct tool_admin **a);

/* POST path (with its query); asks again while the answer is "busy". OK: status 200, the body in
 * *answer (replaced). ERR_INVALID: refused, ERR_IO: not reached; error says why. */
enum err tool_admin_post(struct tool_admin *a, const char *path, const char *body, size_t len,
                         struct buf *answer, struct buf *error) MUST_CHECK;

#endif
