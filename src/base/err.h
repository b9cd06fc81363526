/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/err: the one error convention.
 *
 * A function that can fail returns enum err (OK = 0) and writes its results through trailing out
 * pointers, which stay untouched on error. Every error belongs to a class that says what the
 * caller does next; callers switch on err_class(), not on single codes. Details (errno, SQL text,
 * position) are logged once where they are known; above that only the code travels.
 */
#ifndef STOFKA_BASE_ERR_H
#define STOFKA_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum err_class {
    ERR_CLASS_NONE,
    ERR_CLASS_RETRY, /* later or after making room it may work */
    ERR_CLASS_DROP,  /* this input is bad or not wanted: count it, drop it, go on */
    ERR_CLASS_STOP,  /* the set-up is wrong: tell the person, end */
};

#define ERR_MAP(X)                                                                                 \
    X(OK, "ok", ERR_CLASS_NONE)                                                                    \
    X(ERR_FULL, "queue or disk is full", ERR_CLASS_RETRY)                                          \
    X(ERR_AGAIN, "not now, try again", ERR_CLASS_RETRY)                                            \
    X(ERR_IO, "input or output failed", ERR_CLASS_RETRY)                                           \
    X(ERR_CLOSED, "closed", ERR_CLASS_RETRY)                                                       \
    X(ERR_LIMIT, "limit of the other side reached", ERR_CLASS_RETRY)                               \
    X(ERR_INVALID, "invalid", ERR_CLASS_DROP)                                                      \
    X(ERR_RANGE, "out of range", ERR_CLASS_DROP)                                                   \
    X(ERR_STALE, "stale", ERR_CLASS_DROP)                                                          \
    X(ERR_NOT_FOUND, "not found", ERR_CLASS_DROP)                                                  \
    X(ERR_CONFIG, "configuration is wrong", ERR_CLASS_STOP)                                        \
    X(ERR_SCHEMA, "data has another schema", ERR_CLASS_STOP)                                       \
    X(ERR_READONLY, "data is read-only", ERR_CLASS_RETRY)

enum err {
#define ERR_ENUM(name, text, class) name,
    ERR_MAP(ERR_ENUM)
#undef ERR_ENUM
};

/* Both are pure and thread-safe; the text is static. */
const char *err_text(enum err e);
enum err_class err_class(enum err e);

/* A broken invariant of our own, never a reaction to bytes from outside: logs and aborts. */
#define REQUIRE(cond) ((cond) ? (void)0 : err_require_failed(#cond, __FILE__, __LINE__))
_Noreturn void err_require_failed(const char *cond, const char *file, int line);

#endif
