/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_impl.h"

static char *trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r", text[len - 1]))
        text[--len] = '\0';
    return text;
}

enum err config_file_next(char **text, int *line, char **key, char **value)
{
    while (**text) {
        char *start = *text;
        char *end = strchrnul(start, '\n');
        *text = *end ? end + 1 : end;
        *end = '\0';
        ++*line;
        start = trim(start);
        if (!*start || *start == '#')
            continue;
        char *equals = strchr(start, '=');
        if (!equals || equals == start)
            return ERR_INVALID;
        *equals = '\0';
        *key = trim(start);
        *value = trim(equals + 1);
        return OK;
    }
    *key = NULL;
    return OK;
}

static bool in_choices(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = choices; *at; at += *at == '|') {
        size_t one = strcspn(at, "|");
        if (one == len && memcmp(at, text, len) == 0)
            return true;
        at += one;
    }
    return false;
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"},
                                            {"true", "yes", "on", "1"}};
    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 4; i++)
            if (strcmp(text, words[value][i]) == 0) {
                *out = value;
                return true;
            }
    return false;
}

static bool parse_int(const struct config_row *row, const char *text, int64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)text[*text == '-']))
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || value < row->min || value > row->max)
        return false;
    *out = value;
    return true;
}

static bool accept(const struct config_row *row, const char *text, int64_t *number, bool *flag)
{
    switch (row->type) {
    case CONFIG_STRING:
        return true;
    case CONFIG_INT:
        return parse_int(row, text, number);
    case CONFIG_BOOL:
        return parse_bool(text, flag);
    case CONFIG_CHOICE:
        return in_choices(row->choices, text);
    }
    return false;
}

static void store(const struct config_row *row, const char *text, int64_t number, bool flag,
                  void *settings)
{
    char *field = (char *)settings + row->offset;
    if (row->type == CONFIG_INT)
        memcpy(field, &number, sizeof number);
    else if (row->type == CONFIG_BOOL)
        memcpy(field, &flag, sizeof flag);
    else
        memcpy(field, &text, sizeof text);
}

enum err config_value_set(const struct config_row *row, const char *text, const char *from,
                          void *settings, struct buf *error)
{
    int64_t number = 0;
    bool flag = false;
    if (!accept(row, text, &number, &flag)) {
        buf_printf(error, "%s: ", row->key);
        config_allowed(row, error);
        if (row->flags & CONFIG_SECRET)
            buf_printf(error, "; got something else (%s)", from);
        else
            buf_printf(error, "; got \"%s\" (%s)", text, from);
        return ERR_CONFIG;
    }
    if (settings)
        store(row, text, number, flag, settings);
    return OK;
}

void config_allowed(const struct config_row *row, struct buf *out)
{
    switch (row->type) {
    case CONFIG_STRING:
        buf_str(out, "text");
        break;
    case CONFIG_INT:
        buf_printf(out, "%lld ... %lld", (long long)row->min, (long long)row->max);
        break;
    case CONFIG_BOOL:
        buf_str(out, "true|false");
        break;
    case CONFIG_CHOICE:
        buf_str(out, row->choices);
        break;
    }
}

void config_env_name(const struct config_row *row, struct buf *out)
{
    buf_str(out, "STOFKA_");
    for (const char *c = row->key; *c; c++)
        buf_char(out, isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_');
}
