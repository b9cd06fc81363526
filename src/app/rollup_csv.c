/* SPDX-License-Identifier: Apache-2.0 */
/* rollup_csv: CSV with a header; columns by Upbit's names or the short ones of data sets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/rollup_impl.h"

enum { COLUMNS_MAX = 64 };

#define UTC_COLUMN "candle_date_time_utc"
#define KST_COLUMN "candle_date_time_kst"

/* Names in falling rank: where two columns of a file would fill one cell, the first name wins. */
static const struct {
    const char *name;
    enum rollup_cell cell;
} columns[] = {
    {"code", CELL_CODE},
    {"market", CELL_CODE},
    {UTC_COLUMN, CELL_START},
    {KST_COLUMN, CELL_START},
    {"opening_price", CELL_OPEN},
    {"open", CELL_OPEN},
    {"high_price", CELL_HIGH},
    {"high", CELL_HIGH},
    {"low_price", CELL_LOW},
    {"low", CELL_LOW},
    {"trade_price", CELL_CLOSE},
    {"close", CELL_CLOSE},
    {"candle_acc_trade_volume", CELL_VOLUME},
    {"volume", CELL_VOLUME},
    {"candle_acc_trade_price", CELL_AMOUNT},
    {"value", CELL_AMOUNT},
    {"amount", CELL_AMOUNT},
    {"interval", CELL_INTERVAL},
    {"unit", CELL_INTERVAL},
    {"state", CELL_STATE},
};

struct field {
    char *text;
    size_t len;
};

/* Takes the field at *at off its quotes, in place, and moves *at to the next. False: bad quotes. */
static bool take_quoted(char **at, struct field *out)
{
    char *from = *at + 1, *to = from;
    out->text = to;
    for (; *from; from++) {
        if (*from == '"' && *++from != '"')
            break;
        *to++ = *from;
    }
    out->len = (size_t)(to - out->text);
    *at = from;
    return from[-1] == '"' && (*from == ',' || *from == '\0');
}

/* Splits a line without its line end. Returns the number of fields; -1: not CSV, too many. */
static int split(char *line, struct field out[COLUMNS_MAX])
{
    int count = 0;
    for (char *at = line;; at++) {
        if (count == COLUMNS_MAX)
            return -1;
        struct field *f = &out[count++];
        if (*at == '"') {
            if (!take_quoted(&at, f))
                return -1;
        } else {
            f->text = at;
            f->len = strcspn(at, ",");
            at += f->len;
        }
        if (*at == '\0')
            return count;
    }
}

static int find_column(const struct field *header, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strlen(name) == header[i].len && memcmp(name, header[i].text, header[i].len) == 0)
            return i;
    return -1;
}

/* Which column fills which cell; -1: none. */
static void map_columns(const struct field *header, int count, int map[CELL_COUNT])
{
    static const char *const starts[] = {"timestamp", "time", "datetime", "date", ""};
    for (int cell = 0; cell < CELL_COUNT; cell++)
        map[cell] = -1;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (map[columns[i].cell] < 0)
            map[columns[i].cell] = find_column(header, count, columns[i].name);
    if (map[CELL_START] >= 0) /* Upbit's naming: timestamp is the last tick's */
        map[CELL_TIMESTAMP] = find_column(header, count, "timestamp");
    for (size_t i = 0; i < sizeof starts / sizeof starts[0] && map[CELL_START] < 0; i++)
        map[CELL_START] = find_column(header, count, starts[i]);
}

static enum err refuse(struct rollup *r, const char *why)
{
    buf_clear(&r->error);
    buf_printf(&r->error, "line %zu: %s", r->line, why);
    return ERR_INVALID;
}

/* What clock the time column shows. Without a name it is most often pyupbit's, which writes KST:
 * where a wrong guess would be kept, it must be said. */
static enum err choose_zone(struct rollup *r, const struct field *start)
{
    enum { KST_MS = 9 * 3600 * 1000 };
    r->shift_ms = r->has_zone ? r->zone_ms : 0;
    if (strcmp(start->text, UTC_COLUMN) == 0)
        r->shift_ms = 0;
    else if (strcmp(start->text, KST_COLUMN) == 0)
        r->shift_ms = KST_MS;
    else if (start->len == 0 && r->needs_zone && !r->has_zone)
        return refuse(r, "header: the time column has no name (pyupbit writes such files, in "
                         "KST): say --zone kst or --zone utc");
    return OK;
}

static enum err check_header(struct rollup *r, const int map[CELL_COUNT])
{
    for (int cell = CELL_START; cell <= CELL_VOLUME; cell++)
        if (map[cell] < 0)
            return refuse(r, "header: columns named as Upbit does (candle_date_time_utc, "
                             "opening_price, …) or timestamp,open,high,low,close,volume[,value]");
    return map[CELL_CODE] >= 0 || r->code
               ? OK
               : refuse(r, "header: a column code or market; without one, give --code");
}

static enum err take_line(struct rollup *r, char *line, int column_count, const int map[CELL_COUNT])
{
    struct field fields[COLUMNS_MAX];
    struct rollup_text cells[CELL_COUNT] = {{0}};
    int count = split(line, fields);
    if (count != column_count)
        return refuse(r, "as many fields as the header has, quotes closed");
    for (int cell = 0; cell < CELL_COUNT; cell++) {
        if (map[cell] < 0 || fields[map[cell]].len == 0)
            continue; /* an empty field is an absent one */
        cells[cell].text = fields[map[cell]].text;
        cells[cell].len = fields[map[cell]].len;
    }
    return rollup_take(r, cells);
}

/* The next line with anything on it, without its line end; NULL: no more. */
static char *next_line(struct rollup *r, FILE *in, char **line, size_t *cap)
{
    ssize_t len;
    while ((len = getline(line, cap, in)) >= 0) {
        r->line++;
        while (len > 0 && ((*line)[len - 1] == '\n' || (*line)[len - 1] == '\r'))
            (*line)[--len] = '\0';
        for (ssize_t i = 0; i < len; i++)
            if ((*line)[i] == '\0')
                (*line)[i] = '?'; /* no text: let it be refused, not end the line */
        if (len > 0)
            return *line;
    }
    return NULL;
}

static enum err read_lines(struct rollup *r, FILE *in, char **line, size_t *cap)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct field header[COLUMNS_MAX];
    int map[CELL_COUNT];
    char *text = next_line(r, in, line, cap);
    if (!text)
        return OK;
    if (strncmp(text, byte_order_mark, 3) == 0)
        text += 3;
    int count = split(text, header);
    if (count < 0)
        return refuse(r, "header: at most 64 columns, quotes closed");
    map_columns(header, count, map);
    for (int k = 0; k < count; k++)
        header[k].text[header[k].len] = '\0';
    enum err e = check_header(r, map);
    if (e == OK)
        e = choose_zone(r, &header[map[CELL_START]]);
    while (e == OK && (text = next_line(r, in, line, cap)))
        e = take_line(r, text, count, map);
    return e;
}

enum err rollup_read_csv(struct rollup *r, FILE *in)
{
    char *line = NULL;
    size_t cap = 0;
    enum err e = read_lines(r, in, &line, &cap);
    if (e == OK && ferror(in)) {
        buf_printf(&r->error, "standard input: %s", strerror(errno));
        e = ERR_IO;
    }
    free(line);
    return e;
}
