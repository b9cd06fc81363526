/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/header.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "model/interval.h"

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && strchr(" \t\r\n", (*text)[*len - 1]) != NULL)
        (*len)--;
    while (*len > 0 && strchr(" \t\r\n", (*text)[0]) != NULL) {
        (*text)++;
        (*len)--;
    }
}

bool exchange_header_is(const char *line, size_t len, const char *name, const char **value,
                        size_t *value_len)
{
    size_t n = strlen(name);

    if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return false;
    *value = line + n + 1;
    *value_len = len - n - 1;
    trim(value, value_len);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool exchange_seconds_read(const char *text, size_t len, int64_t *out_s)
{
    int64_t v = 0;

    if (len == 0 || len > 9)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return false;
        v = v * 10 + (text[i] - '0');
    }
    *out_s = v;
    return true;
}

static bool seconds_follow(const char *text, size_t len)
{
    static const char *const words[] = {"seconds", "second", "sec", "s"};

    while (len > 0 && *text == ' ') {
        text++;
        len--;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);

        if (len >= n && strncasecmp(text, words[i], n) == 0 &&
            (len == n || !isalnum((unsigned char)text[n])))
            return true;
    }
    return false;
}

int64_t exchange_ban_read(const char *text, size_t len)
{
    int64_t found = 0;

    for (size_t at = 0, n; at<len; at += n> 0 ? n : 1) {
        for (n = 0; at + n < len && is_digit(text[at + n]);)
            n++;
        if (n > 0 && seconds_follow(text + at + n, len - at - n) &&
            exchange_seconds_read(text + at, n, &found))
            return found;
    }
    return 0;
}

static bool group_read(const char *text, size_t len, char out[24])
{
    if (len == 0 || len >= 24)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '-' && text[i] != '_' && !(text[i] >= 'a' && text[i] <= 'z'))
            return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

/* One "name=value" member; false: one of ours that can't be read. */
static bool member_read(const char *text, size_t len, struct exchange_remaining *out)
{
    const char *eq;
    size_t n;

    trim(&text, &len);
    eq = len > 0 ? memchr(text, '=', len) : NULL;
    if (eq == NULL)
        return len == 0;
    n = (size_t)(eq - text);
    len -= n + 1;
    if (n == 5 && memcmp(text, "group", 5) == 0)
        return group_read(eq + 1, len, out->group);
    if (n == 3 && memcmp(text, "min", 3) == 0)
        return exchange_seconds_read(eq + 1, len, &out->min);
    if (n == 3 && memcmp(text, "sec", 3) == 0)
        return exchange_seconds_read(eq + 1, len, &out->sec);
    return true;
}

bool exchange_remaining_read(const char *text, size_t len, struct exchange_remaining *out)
{
    struct exchange_remaining r = {.min = -1, .sec = -1};

    while (len > 0) {
        const char *end = memchr(text, ';', len);
        size_t n = end != NULL ? (size_t)(end - text) : len;

        if (!member_read(text, n, &r))
            return false;
        n += end != NULL;
        text += n;
        len -= n;
    }
    if (r.group[0] == '\0' || r.sec < 0)
        return false;
    *out = r;
    return true;
}

static int month_of(const char *text)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++)
        if (memcmp(text, names + (size_t)i * 3, 3) == 0)
            return i + 1;
    return 0;
}

bool exchange_date_read(const char *text, size_t len, int64_t *out_ms)
{
    struct buf iso = {0};
    int month;
    bool good;

    /* 0         1         2
       01234567890123456789012345678
       Wed, 11 Mar 2026 14:40:59 GMT */
    if (len != 29 || memcmp(text + 3, ", ", 2) != 0 || memcmp(text + 25, " GMT", 4) != 0)
        return false;
    month = month_of(text + 8);
    if (month == 0 || text[7] != ' ' || text[11] != ' ' || text[16] != ' ')
        return false;
    buf_printf(&iso, "%.4s-%02d-%.2sT%.8s", text + 12, month, text + 5, text + 17);
    good = time_parse(iso.data, iso.len, out_ms) == OK;
    buf_free(&iso);
    return good;
}
