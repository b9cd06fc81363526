/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32

struct reader {
    const char *p, *end;
};

static bool read_value(struct reader *r, struct json *out, int depth);

static void skip_blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->p >= r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static void put_utf8(struct buf *b, unsigned c)
{
    char out[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(lead[n] | c);
    buf_bytes(b, out, n);
}

static bool read_hex(struct reader *r, unsigned *out)
{
    if (r->end - r->p < 4)
        return false;
    *out = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, *r->p | 32);
        if (!*r->p || !at)
            return false;
        *out = *out * 16 + (unsigned)(at - digits);
        r->p++;
    }
    return true;
}

static bool read_escape(struct reader *r, struct buf *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->p >= r->end)
        return false;
    char c = *r->p++;
    unsigned unit, low;
    if (c == 'u') {
        if (!read_hex(r, &unit))
            return false;
        if (unit >= 0xD800 && unit < 0xDC00 && r->end - r->p >= 6 && r->p[0] == '\\' &&
            r->p[1] == 'u') {
            r->p += 2;
            if (!read_hex(r, &low))
                return false;
            unit = 0x10000 + ((unit - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
        }
        put_utf8(b, unit);
        return true;
    }
    const char *at = c ? strchr(from, c) : NULL;
    if (at)
        buf_bytes(b, to + (at - from), 1);
    return at != NULL;
}

static char *read_string(struct reader *r)
{
    struct buf b = {0};
    if (!take(r, '"'))
        return NULL;
    bool ok = true;
    buf_put(&b, "");
    while (ok && r->p < r->end && *r->p != '"') {
        char c = *r->p++;
        if (c == '\\')
            ok = read_escape(r, &b);
        else if ((ok = (unsigned char)c >= 0x20))
            buf_bytes(&b, &c, 1);
    }
    if (ok && r->p < r->end) {
        r->p++;
        return b.p;
    }
    buf_free(&b);
    return NULL;
}

/* Members of an array or object up to `close`. */
static bool read_members(struct reader *r, struct json *out, char close, int depth)
{
    struct json **tail = &out->child;
    if (take(r, close))
        return true;
    do {
        struct json *j = *tail = xcalloc(1, sizeof *j);
        tail = &j->next;
        if (close == '}' && (!(j->key = read_string(r)) || !take(r, ':')))
            return false;
        if (!read_value(r, j, depth + 1))
            return false;
    } while (take(r, ','));
    return take(r, close);
}

static size_t span(struct reader *r, const char *set)
{
    size_t n = 0;
    while (r->p < r->end && *r->p && strchr(set, *r->p))
        r->p++, n++;
    return n;
}

static bool read_number(struct reader *r)
{
    static const char digits[] = "0123456789";
    if (r->p < r->end && *r->p == '-')
        r->p++;
    bool zero = r->p < r->end && *r->p == '0';
    size_t n = span(r, digits);
    if (!n || (zero && n > 1))
        return false;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!span(r, digits))
            return false;
    }
    if (r->p < r->end && (*r->p | 32) == 'e') {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        return span(r, digits) > 0;
    }
    return true;
}

static bool read_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return false;
    r->p += n;
    return true;
}

static bool read_bare(struct reader *r, struct json *out)
{
    out->truth = *r->p == 't';
    if (read_word(r, "true") || read_word(r, "false")) {
        out->type = JSON_BOOL;
        return true;
    }
    if (read_word(r, "null"))
        return true;
    out->type = JSON_NUMBER;
    return read_number(r);
}

static bool read_value(struct reader *r, struct json *out, int depth)
{
    skip_blanks(r);
    out->raw = r->p;
    bool ok = false;
    if (r->p >= r->end || depth > MAX_DEPTH)
        return false;
    if (*r->p == '{' || *r->p == '[') {
        out->type = *r->p == '{' ? JSON_OBJECT : JSON_ARRAY;
        r->p++;
        ok = read_members(r, out, out->type == JSON_OBJECT ? '}' : ']', depth);
    } else if (*r->p == '"') {
        out->type = JSON_STRING;
        ok = (out->text = read_string(r)) != NULL;
    } else {
        ok = read_bare(r, out);
    }
    out->raw_len = (size_t)(r->p - out->raw);
    return ok;
}

/* The root's key holds the copied source, so that freeing the tree frees all. */
struct json *json_parse(const char *text, size_t n)
{
    struct json *root = xcalloc(1, sizeof *root);
    root->key = xrealloc(NULL, n + 1);
    memcpy(root->key, text, n);
    root->key[n] = 0;
    struct reader r = {root->key, root->key + n};
    bool ok = read_value(&r, root, 0);
    skip_blanks(&r);
    if (ok && r.p == r.end)
        return root;
    json_free(root);
    return NULL;
}

void json_free(struct json *j)
{
    while (j) {
        struct json *next = j->next;
        json_free(j->child);
        free(j->text);
        free(j->key);
        free(j);
        j = next;
    }
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (const struct json *j = object->child; j; j = j->next)
        if (j->key && !strcmp(j->key, key))
            return j;
    return NULL;
}

const char *json_text(const struct json *object, const char *key)
{
    const struct json *j = json_get(object, key);
    return j && j->type == JSON_STRING ? j->text : NULL;
}
