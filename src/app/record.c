/* SPDX-License-Identifier: Apache-2.0 */
#include "app/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <zlib.h>

#include "app/record_impl.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { FLUSH_MS = 5000, FILE_MS = 3600 * 1000, FILE_BYTES = 64 << 20 };

struct record {
    char *folder;
    enum source source;
    bool base_is_trade;
    gzFile file; /* NULL after a failure */
    struct buf line;
    int64_t opened_ms, flushed_ms; /* monotonic */
    int64_t bytes;
    unsigned number;
};

static void fail(struct record *r, const char *what)
{
    log_error("record.failed", "folder=%s text=\"%s: %s\"", r->folder, what, strerror(errno));
    if (r->file)
        gzclose_w(r->file);
    r->file = NULL;
}

static void put(struct record *r)
{
    buf_char(&r->line, '\n');
    if (gzwrite(r->file, r->line.data, (unsigned)r->line.len) <= 0)
        fail(r, "can't write");
    r->bytes += (int64_t)r->line.len;
    buf_clear(&r->line);
}

static void write_header(struct record *r)
{
    buf_clear(&r->line);
    buf_printf(&r->line,
               "{\"stofka\":\"recording\",\"version\":1,\"source\":\"%s\",\"base\":\"%s\"}",
               source_name(r->source), r->base_is_trade ? "trade" : "candle");
    put(r);
}

static enum err open_file(struct record *r)
{
    struct buf path = {0};
    char stamp[32];
    int64_t now = clock_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &tm);
    buf_printf(&path, "%s/%s.%03d-%04u.jsonl.gz", r->folder, stamp, (int)(now % 1000),
               r->number++ % 10000);
    r->file = gzopen(path.data, "wbxe4");
    buf_free(&path);
    r->bytes = 0;
    r->opened_ms = r->flushed_ms = clock_mono_ms();
    if (r->file == NULL)
        return ERR_IO;
    write_header(r);
    return r->file ? OK : ERR_IO;
}

enum err record_open(const char *folder, enum source source, bool base_is_trade,
                     struct record **out, struct buf *error)
{
    struct record *r = mem_zalloc(sizeof *r);
    r->folder = mem_strdup(folder);
    r->source = source;
    r->base_is_trade = base_is_trade;
    bool made = mkdir(folder, 0755) == 0 || errno == EEXIST;
    if (!made || open_file(r) != OK) {
        buf_printf(error, "exchange.record: can't write to folder \"%s\": %s", folder,
                   strerror(errno));
        record_close(&r);
        return ERR_CONFIG;
    }
    *out = r;
    return OK;
}

static void turn_over(struct record *r)
{
    int64_t now = clock_mono_ms();
    if (r->bytes >= FILE_BYTES || now - r->opened_ms >= FILE_MS) {
        gzclose_w(r->file);
        if (open_file(r) != OK)
            fail(r, "can't open the next file");
    } else if (now - r->flushed_ms >= FLUSH_MS) {
        r->flushed_ms = now;
        if (gzflush(r->file, Z_SYNC_FLUSH) != Z_OK)
            fail(r, "can't write");
    }
}

/* A frame may hold line ends between its tokens. */
static void add_value(struct buf *out, const char *value, size_t len)
{
    size_t from = out->len;
    buf_add(out, value, len);
    for (size_t k = from; k < out->len; k++)
        if ((unsigned char)out->data[k] < ' ')
            out->data[k] = ' ';
}

void record_message(struct record *r, const struct bus_message *m)
{
    if (r->file == NULL)
        return;
    buf_printf(&r->line,
               "{\"receive_ms\":%lld,\"kind\":\"%s\",\"partition\":%d,\"code\":\"%s\","
               "\"source\":\"%s\",\"value\":",
               (long long)m->receive_ms, record_kinds[m->kind], (int)m->partition, m->code,
               source_name(m->source));
    add_value(&r->line, m->value, m->len);
    buf_char(&r->line, '}');
    put(r);
    if (r->file)
        turn_over(r);
}

void record_market(struct record *r, const struct store_market *m)
{
    if (r->file == NULL)
        return;
    buf_printf(&r->line, "{\"receive_ms\":%lld,\"kind\":\"market\",\"value\":{\"code\":\"%s\"",
               (long long)clock_wall_ms(), m->code);
    buf_str(&r->line, ",\"korean_name\":");
    buf_json_str(&r->line, m->korean_name, strlen(m->korean_name));
    buf_str(&r->line, ",\"english_name\":");
    buf_json_str(&r->line, m->english_name, strlen(m->english_name));
    buf_printf(&r->line, ",\"listed\":%s}}", m->listed ? "true" : "false");
    put(r);
}

void record_close(struct record **r)
{
    if (*r == NULL)
        return;
    if ((*r)->file && gzclose_w((*r)->file) != Z_OK) {
        (*r)->file = NULL;
        fail(*r, "can't write");
    }
    buf_free(&(*r)->line);
    free((*r)->folder);
    free(*r);
    *r = NULL;
}
