/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of POST /verify: what is accepted is written and read again as the same; an answer's texts
 * lie within it. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "app/verify_body.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void question(const char *json, size_t len)
{
    struct audit_wish w, again;
    struct buf why = {0}, b = {0};
    if (verify_body_read(json, len, &w, &why) != OK) {
        REQUIRE(why.len > 0);
    } else {
        verify_body_write(&b, &w);
        REQUIRE(verify_body_read(b.data, b.len, &again, &why) == OK);
        REQUIRE(strcmp(again.code, w.code) == 0 && again.interval == w.interval);
        REQUIRE(again.from_ms == w.from_ms && again.to_ms == w.to_ms && again.repair == w.repair);
    }
    buf_free(&why);
    buf_free(&b);
}

static void each(void *ctx, const struct verify_difference *d)
{
    size_t *sum = ctx;
    for (size_t k = 0; k < d->text_len; k++)
        *sum += (unsigned char)d->text[k];
    *sum += d->kind_len + d->start_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct verify_page page;
    size_t sum = 0;
    question((const char *)data, size);
    if (verify_answer_read((const char *)data, size, &page, each, &sum) == OK)
        REQUIRE(page.from_ms >= 0);
    return 0;
}
