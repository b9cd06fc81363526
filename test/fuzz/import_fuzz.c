/* SPDX-License-Identifier: Apache-2.0 */
/* `stofka import`'s files: any bytes, gzip or plain, CSV or JSON; what comes in can be sent whole.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/import_impl.h"

static void check_pieces(const struct import *in)
{
    int64_t before = INT64_MIN;
    size_t sent = 0;
    while (sent < in->count) {
        struct import_piece p = import_cut(in, sent, 3, before);
        REQUIRE(p.count >= 1 && p.count <= 3 && p.first == sent);
        for (size_t k = 0; k < p.count; k++)
            REQUIRE(in->rows[sent + k].forming != p.covered);
        if (p.covered) {
            REQUIRE(p.from_ms <= in->rows[sent].candle.start_ms && p.from_ms >= before);
            REQUIRE(in->rows[sent].candle.start_ms - p.from_ms <= in->max_hole_ms);
            before = p.to_ms;
        }
        sent += p.count;
    }
}

static void check_rows(const struct import *in)
{
    for (size_t k = 0; k < in->count; k++) {
        const struct candle *c = &in->rows[k].candle;
        REQUIRE(interval_start(in->interval, c->start_ms) == c->start_ms);
        REQUIRE(k == 0 || in->rows[k - 1].candle.start_ms < c->start_ms);
        REQUIRE(0 < c->low && c->low <= c->open && c->open <= c->high && c->close <= c->high);
        REQUIRE(c->volume >= 0 && c->amount >= 0 && c->timestamp_ms >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct buf error = {0};
    struct import in = {.code = "KRW-BTC",
                        .interval = INTERVAL_1M,
                        .has_zone = size % 2,
                        .zone_ms = 9 * 3600 * 1000,
                        .max_hole_ms = 3600 * 1000,
                        .until_ms = INT64_MAX};
    int fd = memfd_create("import", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum err e = import_read(&in, path, &error);
    REQUIRE((e == OK) == (error.len == 0));
    if (e == OK) {
        import_settle(&in);
        check_rows(&in);
        check_pieces(&in);
    }
    close(fd);
    free(in.rows);
    buf_free(&error);
    return 0;
}
