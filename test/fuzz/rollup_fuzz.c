/* SPDX-License-Identifier: Apache-2.0 */
/* `stofka rollup`'s readers and fold: any bytes as JSON lines and as CSV. */
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/rollup_impl.h"

static void check_parents(const struct rollup *r)
{
    for (size_t i = 0; i < r->parent_count; i++) {
        const struct rollup_parent *p = &r->parents[i];
        REQUIRE(p->n.low <= p->n.open && p->n.open <= p->n.high);
        REQUIRE(p->n.low <= p->n.close && p->n.close <= p->n.high);
        REQUIRE(p->n.volume >= 0 && interval_start(p->interval, p->start_ms) == p->start_ms);
        REQUIRE(i == 0 || r->parents[i - 1].start_ms <= p->start_ms);
    }
}

static void check(const uint8_t *data, size_t size, bool csv)
{
    struct rollup r = {.from = INTERVAL_1M, .csv = csv, .code = csv ? "KRW-A" : NULL};
    r.to[INTERVAL_5M] = r.to[INTERVAL_1MO] = true;
    char *copy = malloc(size + 1); /* fmemopen wants one byte at least */
    REQUIRE(copy != NULL);
    memcpy(copy, data, size);
    copy[size] = '\n';
    FILE *in = fmemopen(copy, size + 1, "r");
    REQUIRE(in != NULL);
    enum err e = csv ? rollup_read_csv(&r, in) : rollup_read_json(&r, in);
    if (e == OK)
        e = rollup_fold(&r);
    REQUIRE((e == OK) == (r.error.len == 0));
    if (e == OK)
        check_parents(&r);
    fclose(in);
    free(copy);
    free(r.rows);
    free(r.parents);
    tdestroy(r.markets, free);
    buf_free(&r.error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size, false);
    check(data, size, true);
    return 0;
}
