/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_impl.h"
#include "base/mem.h"

enum { FILE_BYTES_MAX = 1 << 20 };

/* Everything one config_load needs on its way down. */
struct load {
    struct config *config;
    void *settings;
    struct buf *error;
};

static void remember(struct config_value *v, const char *text, const char *from)
{
    char *old_text = v->text, *old_from = v->from; /* text may be the old one */
    v->text = mem_strdup(text);
    v->from = mem_strdup(from);
    free(old_text);
    free(old_from);
}

static enum err set(const struct load *l, int row, const char *text, const char *from)
{
    const struct config_row *r = &l->config->rows[row];
    enum err e = config_value_set(r, text, from, NULL, l->error);
    if (e == OK)
        remember(&l->config->values[row], text, from);
    return e;
}

static int row_count(const struct config_row *rows)
{
    int count = 0;
    while (rows[count].key)
        count++;
    return count;
}

/* Row index of a key (or, for flags, a short flag) of len bytes; -1: none. */
static int find_row(const struct config_row *rows, const char *name, size_t len, bool flags)
{
    for (int i = 0; rows[i].key; i++) {
        const char *names[] = {rows[i].key, flags ? rows[i].flag : NULL};
        for (int n = 0; n < 2; n++)
            if (names[n] && strlen(names[n]) == len && memcmp(names[n], name, len) == 0)
                return i;
    }
    return -1;
}

static enum err load_defaults(const struct load *l)
{
    for (int i = 0; l->config->rows[i].key; i++) {
        enum err e = set(l, i, l->config->rows[i].def, "default");
        REQUIRE(e == OK); /* a default that its own row refuses */
    }
    return OK;
}

static enum err read_file(const char *path, char **out, struct buf *error)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        buf_printf(error, "--config %s: %s", path, strerror(errno));
        return ERR_CONFIG;
    }
    char *text = mem_alloc(FILE_BYTES_MAX + 1);
    size_t len = fread(text, 1, FILE_BYTES_MAX + 1, f);
    bool bad = ferror(f) || len > FILE_BYTES_MAX || memchr(text, '\0', len);
    fclose(f);
    if (bad) {
        buf_printf(error, "--config %s: not a text file of at most %d bytes", path, FILE_BYTES_MAX);
        free(text);
        return ERR_CONFIG;
    }
    text[len] = '\0';
    *out = text;
    return OK;
}

static enum err load_line(const struct load *l, const char *key, const char *value,
                          const char *from)
{
    int row = find_row(l->config->rows, key, strlen(key), false);
    if (row < 0) {
        buf_printf(l->error, "unknown key \"%s\" (%s); `stofka config` lists all keys", key, from);
        return ERR_CONFIG;
    }
    return set(l, row, value, from);
}

static enum err load_file(const struct load *l, const char *path)
{
    char *text;
    enum err e = read_file(path, &text, l->error);
    if (e != OK)
        return e;
    struct buf from = {0};
    char *at = text, *key, *value;
    int line = 0;
    while ((e = config_file_next(&at, &line, &key, &value)) == OK && key) {
        buf_clear(&from);
        buf_printf(&from, "file %s:%d", path, line);
        e = load_line(l, key, value, from.data);
        if (e != OK)
            break;
    }
    if (e == ERR_INVALID)
        buf_printf(l->error, "%s:%d: not a line `key = value`", path, line);
    buf_free(&from);
    free(text);
    return e == OK ? OK : ERR_CONFIG;
}

static enum err load_environment(const struct load *l)
{
    enum err e = OK;
    struct buf name = {0}, from = {0};
    for (int i = 0; l->config->rows[i].key && e == OK; i++) {
        buf_clear(&name);
        buf_clear(&from);
        config_env_name(&l->config->rows[i], &name);
        buf_printf(&from, "environment %s", name.data);
        const char *value = getenv(name.data);
        if (value)
            e = set(l, i, value, from.data);
    }
    buf_free(&name);
    buf_free(&from);
    return e;
}

/* One argument taken apart: --name=value, --name value, or --name for a bool. */
struct flag {
    const char *name;
    size_t name_len;
    const char *value; /* NULL: none given */
    int used;          /* arguments, 1 or 2 */
};

static bool is_bool_word(const char *text)
{
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static struct flag split_flag(const struct config_row *rows, int argc, char **argv, int at)
{
    struct flag f = {.name = argv[at] + 2, .used = 1};
    const char *equals = strchr(f.name, '=');
    f.name_len = equals ? (size_t)(equals - f.name) : strlen(f.name);
    if (equals) {
        f.value = equals + 1;
        return f;
    }
    const char *next = at + 1 < argc ? argv[at + 1] : NULL;
    int row = find_row(rows, f.name, f.name_len, true);
    if (row >= 0 && rows[row].type == CONFIG_BOOL && !(next && is_bool_word(next))) {
        f.value = "true";
    } else if (next) {
        f.value = next;
        f.used = 2;
    }
    return f;
}

static bool is_config_flag(const struct flag *f)
{
    return f->name_len == 6 && memcmp(f->name, "config", 6) == 0;
}

static bool is_flag(const char *arg)
{
    return arg[0] == '-' && arg[1] == '-' && arg[2] != '\0';
}

static enum err need_value(const struct flag *f, struct buf *error)
{
    if (f->value)
        return OK;
    buf_printf(error, "--%.*s needs a value", (int)f->name_len, f->name);
    return ERR_CONFIG;
}

static enum err unknown_flag(const char *arg, struct buf *error)
{
    buf_printf(error, "unknown flag %.*s; --help lists them", (int)strcspn(arg, "="), arg);
    return ERR_CONFIG;
}

/* First pass over argv: only `--config FILE`, since files rank below environment and flags. */
static enum err load_files(const struct load *l, int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0;) {
        if (!is_flag(argv[i])) {
            i++;
            continue;
        }
        struct flag f = split_flag(l->config->rows, argc, argv, i);
        if (is_config_flag(&f)) {
            enum err e = need_value(&f, l->error);
            if (e == OK)
                e = load_file(l, f.value);
            if (e != OK)
                return e;
        }
        i += f.used;
    }
    return OK;
}

static enum err load_flag(const struct load *l, const struct flag *f, const char *arg)
{
    int row = find_row(l->config->rows, f->name, f->name_len, true);
    if (row < 0 && !is_config_flag(f))
        return unknown_flag(arg, l->error);
    enum err e = need_value(f, l->error);
    if (e != OK || row < 0)
        return e;
    struct buf from = {0};
    buf_printf(&from, "flag --%.*s", (int)f->name_len, f->name);
    e = set(l, row, f->value, from.data);
    buf_free(&from);
    return e;
}

static enum err load_flags(const struct load *l, int argc, char **argv)
{
    struct config *c = l->config;
    bool flags_over = false;
    for (int i = 0; i < argc;) {
        if (!flags_over && strcmp(argv[i], "--") == 0) {
            flags_over = true;
            i++;
        } else if (flags_over || argv[i][0] != '-' || !argv[i][1]) {
            c->rest[c->rest_count++] = argv[i++];
        } else if (!is_flag(argv[i])) {
            return unknown_flag(argv[i], l->error);
        } else {
            struct flag f = split_flag(c->rows, argc, argv, i);
            enum err e = load_flag(l, &f, argv[i]);
            if (e != OK)
                return e;
            i += f.used;
        }
    }
    return OK;
}

static void fill_settings(const struct load *l)
{
    const struct config *c = l->config;
    for (int i = 0; c->rows[i].key; i++) {
        enum err e = config_value_set(&c->rows[i], c->values[i].text, c->values[i].from,
                                      l->settings, l->error);
        REQUIRE(e == OK); /* checked when it was remembered */
    }
}

enum err config_load(const struct config_row *rows, int argc, char **argv, void *settings,
                     struct config **out, struct buf *error)
{
    struct config *c = mem_zalloc(sizeof *c);
    c->rows = rows;
    c->values = mem_zalloc((size_t)row_count(rows) * sizeof *c->values);
    c->rest = mem_zalloc((size_t)(argc + 1) * sizeof *c->rest);
    struct load l = {.config = c, .settings = settings, .error = error};
    enum err e = load_defaults(&l);
    if (e == OK)
        e = load_files(&l, argc, argv);
    if (e == OK)
        e = load_environment(&l);
    if (e == OK)
        e = load_flags(&l, argc, argv);
    if (e != OK) {
        config_free(&c);
        return e;
    }
    fill_settings(&l);
    *out = c;
    return OK;
}

void config_free(struct config **c)
{
    if (!*c)
        return;
    for (int i = 0; (*c)->rows[i].key; i++) {
        free((*c)->values[i].text);
        free((*c)->values[i].from);
    }
    free((*c)->values);
    free((*c)->rest);
    free(*c);
    *c = NULL;
}

char *const *config_rest(const struct config *c, int *count)
{
    *count = c->rest_count;
    return c->rest;
}
