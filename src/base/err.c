/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdlib.h>

#include "base/log.h"

const char *err_text(enum err e)
{
    static const char *const texts[] = {
#define ERR_TEXT(name, text, class) [name] = (text),
        ERR_MAP(ERR_TEXT)
#undef ERR_TEXT
    };
    return (unsigned)e < sizeof texts / sizeof texts[0] ? texts[e] : "unknown error";
}

enum err_class err_class(enum err e)
{
    static const enum err_class classes[] = {
#define ERR_CLASS(name, text, class) [name] = (class),
        ERR_MAP(ERR_CLASS)
#undef ERR_CLASS
    };
    return (unsigned)e < sizeof classes / sizeof classes[0] ? classes[e] : ERR_CLASS_STOP;
}

void err_require_failed(const char *cond, const char *file, int line)
{
    char quoted[256];
    log_error("base.require_failed", "cond=%s at=%s:%d",
              log_quote(quoted, sizeof quoted, cond, __builtin_strlen(cond)), file, line);
    abort();
}
