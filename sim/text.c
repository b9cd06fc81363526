/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *xrealloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        abort();
    return q;
}

void *xcalloc(size_t n, size_t size)
{
    void *q = calloc(n ? n : 1, size ? size : 1);
    if (!q)
        abort();
    return q;
}

static void buf_room(struct buf *b, size_t n)
{
    if (b->len + n + 1 <= b->cap)
        return;
    b->cap = (b->len + n + 1) * 2;
    if (b->cap < 256)
        b->cap = 256;
    b->p = xrealloc(b->p, b->cap);
}

void buf_bytes(struct buf *b, const void *p, size_t n)
{
    buf_room(b, n);
    if (n)
        memcpy(b->p + b->len, p, n);
    b->len += n;
    b->p[b->len] = 0;
}

void buf_put(struct buf *b, const char *s)
{
    buf_bytes(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = NULL;
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    buf_bytes(b, text, (size_t)n);
    free(text);
}

void buf_drop(struct buf *b, size_t n)
{
    memmove(b->p, b->p + n, b->len - n);
    b->len -= n;
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

i128 div_half_up(i128 v, i128 by)
{
    return (v + by / 2) / by;
}

/* Digits of |v|, at least one, into out[48]; returns their number. */
static int digits_of(i128 v, char *out)
{
    unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    char rev[48];
    int n = 0;
    do {
        rev[n++] = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u);
    for (int i = 0; i < n; i++)
        out[i] = rev[n - 1 - i];
    return n;
}

void put_int(struct buf *b, int64_t v)
{
    put_decimal(b, v, 0);
}

void put_decimal(struct buf *b, i128 v, int scale)
{
    char d[48], out[100];
    int n = digits_of(v, d), len = 0;
    if (v < 0)
        out[len++] = '-';
    int whole = n > scale ? n - scale : 0;
    if (!whole)
        out[len++] = '0';
    memcpy(out + len, d, (size_t)whole);
    len += whole;
    if (scale) {
        out[len++] = '.';
        for (int i = n - whole; i < scale; i++)
            out[len++] = '0';
        memcpy(out + len, d + whole, (size_t)(n - whole));
        len += n - whole;
    }
    buf_bytes(b, out, (size_t)len);
}

void put_trimmed(struct buf *b, i128 v, int scale)
{
    for (; scale > 0 && v % 10 == 0; scale--)
        v /= 10;
    put_decimal(b, v, scale);
}

void put_significant(struct buf *b, i128 v, int scale, int digits)
{
    char d[48];
    int n = digits_of(v, d);
    i128 unit = 1; /* all surplus digits go at once: rounding twice could round wrongly */
    for (; n > digits && scale > 0; n--, scale--)
        unit *= 10;
    put_trimmed(b, div_half_up(v, unit), scale);
}

/* Java's Double.toString for large and small values: 1.16539E8, 7.9276E-4, 0.0. */
static void put_exponent(struct buf *b, i128 v, int scale)
{
    char d[48];
    int n = digits_of(v, d), exponent = n - 1 - scale;
    if (v == 0) {
        buf_put(b, "0.0");
        return;
    }
    while (n > 1 && d[n - 1] == '0')
        n--;
    buf_put(b, v < 0 ? "-" : "");
    buf_bytes(b, d, 1);
    buf_put(b, ".");
    buf_bytes(b, n > 1 ? d + 1 : "0", n > 1 ? (size_t)n - 1 : 1);
    if (exponent)
        buf_printf(b, "E%d", exponent);
}

void put_spelled(struct buf *b, i128 v, int scale, enum spelling spelling)
{
    if (spelling == SPELL_FIXED)
        put_decimal(b, v, scale);
    else if (spelling == SPELL_PLAIN)
        put_trimmed(b, v, scale);
    else
        put_exponent(b, v, scale);
}

void put_json_string(struct buf *b, const char *s)
{
    buf_put(b, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else if (c < 0x20)
            buf_printf(b, "\\u%04x", c);
        else
            buf_bytes(b, s, 1);
    }
    buf_put(b, "\"");
}

bool parse_int(const char *s, int64_t *out)
{
    char *end = NULL;
    long long v = strtoll(s, &end, 10);
    if (end == s || *end)
        return false;
    *out = v;
    return true;
}

bool parse_real(const char *s, double least, double most, double *out)
{
    char *end = NULL;
    *out = strtod(s, &end);
    return end != s && !*end && *out >= least && *out <= most;
}

/* Applies 10^exponent to digits at the given scale; false where a digit would be lost. */
static bool to_e8(i128 v, int scale, int64_t *out)
{
    for (; scale < 8; scale++) {
        v *= 10;
        if (v > INT64_MAX || v < INT64_MIN)
            return false;
    }
    for (; scale > 8; scale--) {
        if (v % 10)
            return false;
        v /= 10;
    }
    *out = (int64_t)v;
    return v <= INT64_MAX && v >= INT64_MIN;
}

bool parse_e8(const char *s, size_t n, int64_t *out)
{
    i128 v = 0;
    int scale = 0, digits = 0;
    bool negative = n && *s == '-', point = false;
    size_t i = negative;
    for (; i < n && ((s[i] >= '0' && s[i] <= '9') || (s[i] == '.' && !point)); i++) {
        if (s[i] == '.') {
            point = true;
            continue;
        }
        v = v * 10 + (s[i] - '0');
        scale += point;
        if (++digits > 36)
            return false;
    }
    if (i < n && (s[i] | 32) == 'e') {
        char text[8] = {0};
        int64_t exponent;
        if (n - i - 1 >= sizeof text)
            return false;
        memcpy(text, s + i + 1, n - i - 1);
        if (!parse_int(text, &exponent) || exponent > 30 || exponent < -30)
            return false;
        scale -= (int)exponent;
        i = n;
    }
    return i == n && digits && to_e8(negative ? -v : v, scale, out);
}

/* Howard Hinnant's civil calendar, days since 1970-01-01. */
int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400), yoe = y - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct utc utc_of(int64_t ms)
{
    int64_t days = floor_div(ms, 86400000), rest = ms - days * 86400000;
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    struct utc t = {.day = (int)(doy - (153 * mp + 2) / 5 + 1),
                    .month = (int)(mp < 10 ? mp + 3 : mp - 9),
                    .hour = (int)(rest / 3600000),
                    .minute = (int)(rest / 60000 % 60),
                    .second = (int)(rest / 1000 % 60),
                    .ms = (int)(rest % 1000)};
    t.year = (int)(yoe + era * 400 + (t.month <= 2));
    return t;
}

int64_t ms_of(const struct utc *t)
{
    return ((days_of(t->year, t->month, t->day) * 24 + t->hour) * 60 + t->minute) * 60000 +
           t->second * 1000 + t->ms;
}

void put_datetime(struct buf *b, int64_t s)
{
    struct utc t = utc_of(s * 1000);
    put_date(b, s);
    char text[16];
    snprintf(text, sizeof text, "T%02u:%02u:%02u", (unsigned)t.hour % 100u,
             (unsigned)t.minute % 100u, (unsigned)t.second % 100u);
    buf_put(b, text);
}

void put_date(struct buf *b, int64_t s)
{
    struct utc t = utc_of(s * 1000);
    char text[40];
    snprintf(text, sizeof text, "%04d-%02d-%02d", t.year, t.month, t.day);
    buf_put(b, text);
}

bool parse_time(const char *s, int64_t *ms)
{
    struct utc t = {0};
    char sep = 0;
    int used = 0;
    if (sscanf(s, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &t.year, &t.month, &t.day, &sep, &t.hour, &t.minute,
               &t.second, &used) != 7 ||
        used != 19 || (sep != 'T' && sep != ' '))
        return false;
    if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31 || t.hour > 23 || t.minute > 59 ||
        t.second > 59 || t.year < 1970)
        return false;
    s += used;
    if (*s == '.') {
        int weight = 100;
        for (s++; *s >= '0' && *s <= '9'; s++, weight /= 10)
            t.ms += (*s - '0') * weight;
    }
    int64_t at = ms_of(&t);
    int hours = 0, minutes = 0;
    if (*s == '+' || *s == '-') {
        int sign = *s == '+' ? 1 : -1;
        if (sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || s[1 + used])
            return false;
        at -= sign * (hours * 60 + minutes) * 60000LL;
    } else if (strcmp(s, "Z") != 0 && *s) {
        return false;
    }
    *ms = at;
    return true;
}
