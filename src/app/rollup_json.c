/* SPDX-License-Identifier: Apache-2.0 */
/* rollup_json: lines of JSON, each one object or a list of them, in any of Upbit's namings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/rollup_impl.h"
#include "model/upbit_field.h"

static struct rollup_text text_of(const struct upbit_slot *slot, enum json_token wanted)
{
    struct rollup_text t = {0};
    if (slot->token == JSON_BAD || slot->token == JSON_NULL)
        return t;
    t.text = slot->text;
    t.len = slot->len;
    t.wrong_type = slot->token != wanted || slot->escaped;
    return t;
}

/* REST and our own API use DEFAULT names, the WebSocket either: take whichever is there. */
static const struct upbit_slot *pick(const struct upbit_fields *f, enum upbit_field field)
{
    const struct upbit_slot *by_default = &f->slots[NAMING_DEFAULT][field];
    return by_default->token != JSON_BAD ? by_default : &f->slots[NAMING_SIMPLE][field];
}

static struct rollup_text first_of(const struct upbit_fields *f, enum upbit_field a,
                                   enum upbit_field b, enum json_token wanted)
{
    struct rollup_text t = text_of(pick(f, a), wanted);
    return t.text ? t : text_of(pick(f, b), wanted);
}

static enum err take_object(struct rollup *r, struct json *j)
{
    struct upbit_fields f;
    struct upbit_reason why;
    enum err e = upbit_fields_read(&f, j, &why);
    if (e != OK)
        return e;
    struct rollup_text cells[CELL_COUNT] = {
        [CELL_CODE] = first_of(&f, FIELD_CODE, FIELD_MARKET, JSON_STRING),
        [CELL_START] = text_of(pick(&f, FIELD_START), JSON_STRING),
        [CELL_OPEN] = text_of(pick(&f, FIELD_OPEN), JSON_NUMBER),
        [CELL_HIGH] = text_of(pick(&f, FIELD_HIGH), JSON_NUMBER),
        [CELL_LOW] = text_of(pick(&f, FIELD_LOW), JSON_NUMBER),
        [CELL_CLOSE] = text_of(pick(&f, FIELD_TRADE_PRICE), JSON_NUMBER),
        [CELL_VOLUME] = text_of(pick(&f, FIELD_VOLUME), JSON_NUMBER),
        [CELL_AMOUNT] = text_of(pick(&f, FIELD_AMOUNT), JSON_NUMBER),
        [CELL_TIMESTAMP] = text_of(pick(&f, FIELD_TIMESTAMP), JSON_NUMBER),
        [CELL_INTERVAL] = first_of(&f, FIELD_TYPE, FIELD_INTERVAL, JSON_STRING),
        [CELL_STATE] = text_of(pick(&f, FIELD_STATE), JSON_STRING),
    };
    if (!cells[CELL_INTERVAL].text)
        cells[CELL_INTERVAL] = text_of(pick(&f, FIELD_UNIT), JSON_NUMBER);
    return rollup_take(r, cells);
}

static enum err not_json(struct rollup *r, const struct json *j)
{
    buf_clear(&r->error);
    buf_printf(&r->error, "line %zu: one JSON object or a list of them; wrong at byte %zu", r->line,
               j->pos + 1);
    return ERR_INVALID;
}

/* Texts of more than one line: r->line follows. */
static void count_lines(struct rollup *r, const struct json *j, size_t *seen)
{
    for (; *seen < j->pos; ++*seen)
        r->line += j->data[*seen] == '\n' && *seen + 1 < j->len;
}

static enum err take_text(struct rollup *r, const char *text, size_t len)
{
    struct json j;
    size_t seen = 0;
    json_open(&j, text, len);
    enum json_token t = json_next(&j);
    bool list = t == JSON_ARRAY;
    if (list)
        t = json_next(&j);
    while (t == JSON_OBJECT) {
        count_lines(r, &j, &seen);
        enum err e = take_object(r, &j);
        if (e != OK)
            return r->error.len ? e : not_json(r, &j);
        t = json_next(&j);
        if (!list)
            return t == JSON_END ? OK : not_json(r, &j);
    }
    count_lines(r, &j, &seen);
    return list && t == JSON_ARRAY_END && json_next(&j) == JSON_END ? OK : not_json(r, &j);
}

/* A list that does not end on the line where it starts: the file is one text. */
static bool is_open_list(const char *line, size_t len)
{
    static const char blanks[] = " \t\r\n";
    while (len > 0 && strchr(blanks, line[len - 1]))
        len--;
    size_t first = strspn(line, blanks);
    return first < len && line[first] == '[' && line[len - 1] != ']';
}

static enum err take_rest(struct rollup *r, const char *line, size_t len, FILE *in)
{
    struct buf text = {0};
    char piece[1 << 14];
    buf_add(&text, line, len);
    for (size_t n; (n = fread(piece, 1, sizeof piece, in)) > 0;)
        buf_add(&text, piece, n);
    enum err e = take_text(r, text.data, text.len);
    buf_free(&text);
    return e;
}

enum err rollup_read_json(struct rollup *r, FILE *in)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    enum err e = OK;
    while (e == OK && (len = getline(&line, &cap, in)) >= 0) {
        r->line++;
        if (is_open_list(line, (size_t)len))
            e = take_rest(r, line, (size_t)len, in);
        else if (strspn(line, " \t\r\n") < (size_t)len)
            e = take_text(r, line, (size_t)len);
    }
    if (e == OK && ferror(in)) {
        buf_printf(&r->error, "standard input: %s", strerror(errno));
        e = ERR_IO;
    }
    free(line);
    return e;
}
