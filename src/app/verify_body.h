/* SPDX-License-Identifier: Apache-2.0 */
/* app/verify_body: bodies of POST /verify (app/audit.h): the question read strictly, the answer
 * written and read again by the tool. Pure. */
#ifndef STOFKA_APP_VERIFY_BODY_H
#define STOFKA_APP_VERIFY_BODY_H

#include "app/audit_check.h"

/* ERR_INVALID: why names the member and what is allowed. An unknown member is refused. */
enum err verify_body_read(const char *json, size_t len, struct audit_wish *out,
                          struct buf *why) MUST_CHECK;
void verify_body_write(struct buf *out, const struct audit_wish *w);

void verify_answer(struct buf *out, const struct audit_wish *w, const struct audit_result *r);

/* What the tool reads of an answer. Texts point into it, escapes not decoded. */
struct verify_difference {
    const char *kind, *start, *text;
    size_t kind_len, start_len, text_len;
    enum interval interval;
    int64_t start_ms;
    bool repaired;
};
struct verify_page {
    int64_t from_ms, to_ms, compared, unknown, repaired;
};
typedef void verify_difference_f(void *ctx, const struct verify_difference *d);
enum err verify_answer_read(const char *json, size_t len, struct verify_page *out,
                            verify_difference_f *each, void *ctx) MUST_CHECK;

#endif
