/* SPDX-License-Identifier: Apache-2.0 */
#include "model/json.h"

#include <string.h>

#include "base/utf8.h"
#include "model/digits.h"

/* What may come next. */
enum state {
    WANT_VALUE,        /* at the top, after a name, after a comma in an array */
    WANT_VALUE_OR_END, /* after '[' */
    WANT_NAME_OR_END,  /* after '{' */
    WANT_COMMA_OR_END, /* after a value inside a container */
    WANT_NOTHING,      /* after the top-level value */
    IS_BAD,
};

void json_open(struct json *j, const char *data, size_t len)
{
    *j = (struct json){.data = data, .len = len, .state = WANT_VALUE};
}

static enum json_token bad(struct json *j)
{
    j->state = IS_BAD;
    return JSON_BAD;
}

static inline void skip_space(struct json *j)
{
    while (j->pos < j->len) {
        char c = j->data[j->pos];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
        j->pos++;
    }
}

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

static enum json_token value_done(struct json *j, enum json_token t)
{
    j->state = j->depth > 0 ? WANT_COMMA_OR_END : WANT_NOTHING;
    return t;
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Length of the escape that begins at the backslash s; 0: none. */
static size_t escape_length(const char *s, size_t left)
{
    if (left < 2 || !s[1] || !strchr("\"\\/bfnrtu", s[1]))
        return 0;
    if (s[1] != 'u')
        return 2;
    return left >= 6 && is_hex(s[2]) && is_hex(s[3]) && is_hex(s[4]) && is_hex(s[5]) ? 6 : 0;
}

/* Eight bytes at once: which of them is the first to be a quote, a backslash, a control character
 * or beyond ASCII? 8: none. A byte's high bit is set in hit where byte ^ c is 0 (below 1), or the
 * byte is below 0x20; borrows make wrong hits only behind a right one. */
static inline size_t first_of_note(const char *s)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    const uint64_t x = digits_load(s);
    uint64_t quote = x ^ (ones * '"'), backslash = x ^ (ones * '\\');
    uint64_t hit = ((x - ones * 0x20) | (quote - ones) | (backslash - ones) | x) & highs;
    return hit ? (size_t)__builtin_ctzll(hit) / 8 : 8;
}

/* Index of the next byte of note from at on, or len. */
static inline size_t skip_plain(const char *s, size_t at, size_t len)
{
    while (at + 8 <= len) {
        size_t n = first_of_note(s + at);
        at += n;
        if (n < 8)
            return at;
    }
    while (at < len && (unsigned char)s[at] >= 0x20 && (unsigned char)s[at] < 0x80 &&
           s[at] != '"' && s[at] != '\\')
        at++;
    return at;
}

/* At the opening quote; leaves pos behind the closing one. */
static bool take_string(struct json *j)
{
    const char *s = j->data;
    size_t at = j->pos + 1, len = j->len;
    j->text = s + at;
    j->escaped = false;
    while ((at = skip_plain(s, at, len)) < len && s[at] != '"') {
        size_t n = s[at] == '\\' ? escape_length(s + at, len - at) : utf8_length(s + at, len - at);
        if (n == 0)
            break;
        j->escaped |= s[at] == '\\';
        at += n;
    }
    bool closed = at < len && s[at] == '"';
    j->text_len = (size_t)(s + at - j->text);
    j->pos = at + closed;
    return closed;
}

/* Moves *at over digits; false where there is none. */
static bool take_digits(const struct json *j, size_t *at)
{
    size_t from = *at;
    *at = (size_t)(digits_end(j->data + from, j->data + j->len) - j->data);
    return *at > from;
}

static bool take_number(struct json *j)
{
    const char *s = j->data;
    size_t at = j->pos + (s[j->pos] == '-');
    j->text = s + j->pos;
    bool ok = true;
    if (at < j->len && s[at] == '0')
        at++;
    else
        ok = take_digits(j, &at);
    if (ok && at < j->len && s[at] == '.') {
        at++;
        ok = take_digits(j, &at);
    }
    if (ok && at < j->len && (s[at] | 0x20) == 'e') {
        at++;
        at += at < j->len && (s[at] == '+' || s[at] == '-');
        ok = take_digits(j, &at);
    }
    j->pos = at;
    j->text_len = (size_t)(s + at - j->text);
    j->escaped = false;
    return ok;
}

static enum json_token take_word(struct json *j, const char *word, size_t len, enum json_token t)
{
    if (j->len - j->pos < len || memcmp(j->data + j->pos, word, len) != 0)
        return bad(j);
    j->pos += len;
    return value_done(j, t);
}

static enum json_token open_container(struct json *j, bool object)
{
    if (j->depth == JSON_DEPTH_MAX)
        return bad(j);
    uint64_t bit = UINT64_C(1) << j->depth++;
    j->in_object = object ? j->in_object | bit : j->in_object & ~bit;
    j->pos++;
    j->state = object ? WANT_NAME_OR_END : WANT_VALUE_OR_END;
    return object ? JSON_OBJECT : JSON_ARRAY;
}

static bool in_object(const struct json *j)
{
    return (j->in_object >> (j->depth - 1)) & 1;
}

static enum json_token close_container(struct json *j)
{
    enum json_token t = in_object(j) ? JSON_OBJECT_END : JSON_ARRAY_END;
    j->pos++;
    j->depth--;
    return value_done(j, t);
}

static enum json_token take_value(struct json *j)
{
    char c = j->data[j->pos];
    if (is_digit(c) || c == '-')
        return take_number(j) ? value_done(j, JSON_NUMBER) : bad(j);
    switch (c) {
    case '"':
        return take_string(j) ? value_done(j, JSON_STRING) : bad(j);
    case '{':
        return open_container(j, true);
    case '[':
        return open_container(j, false);
    case 't':
        return take_word(j, "true", 4, JSON_TRUE);
    case 'f':
        return take_word(j, "false", 5, JSON_FALSE);
    case 'n':
        return take_word(j, "null", 4, JSON_NULL);
    default:
        return bad(j);
    }
}

/* A member's name and its colon. */
static enum json_token take_name(struct json *j)
{
    if (j->pos >= j->len || j->data[j->pos] != '"' || !take_string(j))
        return bad(j);
    skip_space(j);
    if (j->pos >= j->len || j->data[j->pos] != ':')
        return bad(j);
    j->pos++;
    j->state = WANT_VALUE;
    return JSON_NAME;
}

static enum json_token after_value(struct json *j)
{
    char c = j->data[j->pos];
    if (c == (in_object(j) ? '}' : ']'))
        return close_container(j);
    if (c != ',')
        return bad(j);
    j->pos++;
    skip_space(j);
    if (in_object(j))
        return take_name(j);
    return j->pos < j->len ? take_value(j) : bad(j);
}

enum json_token json_next(struct json *j)
{
    if (j->state == IS_BAD)
        return JSON_BAD;
    skip_space(j);
    if (j->pos >= j->len)
        return j->state == WANT_NOTHING ? JSON_END : bad(j);
    switch ((enum state)j->state) {
    case WANT_COMMA_OR_END:
        return after_value(j);
    case WANT_VALUE:
        return take_value(j);
    case WANT_VALUE_OR_END:
        return j->data[j->pos] == ']' ? close_container(j) : take_value(j);
    case WANT_NAME_OR_END:
        return j->data[j->pos] == '}' ? close_container(j) : take_name(j);
    case WANT_NOTHING:
    case IS_BAD:
        break;
    }
    return bad(j);
}

bool json_take_member(struct json *j, const char *text, size_t len)
{
    if (j->state != WANT_COMMA_OR_END || !in_object(j) || j->len - j->pos < len ||
        memcmp(j->data + j->pos, text, len) != 0)
        return false;
    j->pos += len;
    j->state = WANT_VALUE;
    return true;
}

bool json_skip(struct json *j, enum json_token t)
{
    if (t != JSON_OBJECT && t != JSON_ARRAY)
        return t != JSON_BAD;
    int outside = j->depth - 1;
    while (t != JSON_BAD && j->depth > outside)
        t = json_next(j);
    return t != JSON_BAD;
}

static unsigned hex4(const char *s)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)s[i];
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static size_t put_utf8(unsigned code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* \uXXXX, or a pair of them, at **at; 0: a lone surrogate. */
static size_t decode_unicode(const char **at, const char *end, char out[4])
{
    unsigned code = hex4(*at + 2);
    *at += 6;
    if (code < 0xd800 || code > 0xdfff)
        return put_utf8(code, out);
    if (code > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0;
    unsigned low = hex4(*at + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *at += 6;
    return put_utf8(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), out);
}

/* Decodes the byte or escape at **at of a checked string; returns the bytes put, 0: invalid. */
static size_t decode_one(const char **at, const char *end, char out[4])
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (**at != '\\') {
        out[0] = *(*at)++;
        return 1;
    }
    if ((*at)[1] == 'u')
        return decode_unicode(at, end, out);
    out[0] = values[strchr(names, (*at)[1]) - names];
    *at += 2;
    return 1;
}

enum err json_decode(const char *text, size_t len, char *out, size_t size, size_t *out_len)
{
    const char *end = text + len;
    size_t used = 0;
    while (text < end) {
        char one[4];
        size_t n = decode_one(&text, end, one);
        if (n == 0)
            return ERR_INVALID;
        if (used + n >= size)
            return ERR_RANGE;
        memcpy(out + used, one, n);
        used += n;
    }
    out[used] = '\0';
    *out_len = used;
    return OK;
}

bool json_text_is(const struct json *j, const char *text)
{
    size_t len = strlen(text);
    if (!j->escaped)
        return j->text_len == len && memcmp(j->text, text, len) == 0;
    const char *at = j->text, *end = j->text + j->text_len;
    while (at < end) {
        char one[4];
        size_t n = decode_one(&at, end, one);
        if (n == 0 || n > len || memcmp(text, one, n) != 0)
            return false;
        text += n;
        len -= n;
    }
    return len == 0;
}

enum err json_unescape(const struct json *j, struct buf *out)
{
    size_t size = j->text_len + 1, len;
    char *to = buf_reserve(out, size);
    enum err e = json_decode(j->text, j->text_len, to, size, &len);
    if (e == OK)
        out->len += len;
    else
        *to = '\0';
    return e;
}
