/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/mem.h"
#include "check.h"

struct settings {
    const char *url, *listen, *password, *level;
    int64_t port;
    bool deflate;
};

static const struct config_row rows[] = {
    {.key = "store.url",
     .type = CONFIG_STRING,
     .def = "sqlite:stofka.db",
     .help = "the store",
     .offset = offsetof(struct settings, url)},
    {.key = "serve.listen",
     .flag = "listen",
     .type = CONFIG_STRING,
     .def = "127.0.0.1",
     .help = "address",
     .offset = offsetof(struct settings, listen)},
    {.key = "serve.port",
     .flag = "port",
     .type = CONFIG_INT,
     .def = "8080",
     .min = -1,
     .max = 65535,
     .help = "port",
     .offset = offsetof(struct settings, port)},
    {.key = "exchange.deflate",
     .type = CONFIG_BOOL,
     .def = "true",
     .help = "compression",
     .offset = offsetof(struct settings, deflate)},
    {.key = "log.level",
     .type = CONFIG_CHOICE,
     .choices = "debug|info|warn",
     .def = "info",
     .help = "level",
     .offset = offsetof(struct settings, level)},
    {.key = "bus.password",
     .type = CONFIG_STRING,
     .def = "",
     .flags = CONFIG_SECRET,
     .help = "secret",
     .offset = offsetof(struct settings, password)},
    {.key = NULL},
};

struct loaded {
    struct settings s;
    struct config *c;
    struct buf error;
    char *argv[16]; /* copies: config_load may not be given literals */
    int argc;
};

/* Loads with the flags given, a NULL-ended list. */
static enum err load(struct loaded *l, const char *const *flags)
{
    *l = (struct loaded){0};
    while (flags[l->argc]) {
        l->argv[l->argc] = mem_strdup(flags[l->argc]);
        l->argc++;
    }
    return config_load(rows, l->argc, l->argv, &l->s, &l->c, &l->error);
}

static void done(struct loaded *l)
{
    config_free(&l->c);
    buf_free(&l->error);
    while (l->argc > 0)
        free(l->argv[--l->argc]);
}

#define FLAGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static char path[] = "/tmp/stofka-config-XXXXXX";

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static void defaults_fill_what_nobody_sets(void **state)
{
    (void)state;
    struct loaded l;
    assert_int_equal(load(&l, FLAGS(NULL)), OK);
    assert_string_equal(l.s.url, "sqlite:stofka.db");
    assert_true(l.s.port == 8080 && l.s.deflate);
    assert_string_equal(l.s.level, "info");
    done(&l);
}

static void file_environment_and_flags_outrank_each_other_in_turn(void **state)
{
    (void)state;
    struct loaded l;
    write_file("# a comment\n\n store.url = file \nserve.listen=file\r\nserve.port = 1\n"
               "bus.password = a = b # c\n");
    setenv("STOFKA_SERVE_LISTEN", "environment", 1);
    setenv("STOFKA_SERVE_PORT", "2", 1);
    enum err e = load(&l, FLAGS("--port", "3", "--config", path));
    unsetenv("STOFKA_SERVE_LISTEN");
    unsetenv("STOFKA_SERVE_PORT");
    assert_int_equal(e, OK);
    assert_string_equal(l.s.url, "file");
    assert_string_equal(l.s.listen, "environment");
    assert_true(l.s.port == 3);
    assert_string_equal(l.s.password, "a = b # c");
    struct buf shown = {0};
    config_show(l.c, &shown);
    assert_non_null(strstr(shown.data, "store.url = file\n"));
    assert_non_null(strstr(shown.data, "from environment STOFKA_SERVE_LISTEN"));
    assert_non_null(strstr(shown.data, "from flag --port"));
    assert_non_null(strstr(shown.data, "from default"));
    assert_non_null(strstr(shown.data, "(hidden)"));
    assert_null(strstr(shown.data, "a = b"));
    buf_free(&shown);
    done(&l);
}

static void what_config_shows_can_be_loaded_again(void **state)
{
    (void)state;
    struct loaded l, again;
    assert_int_equal(load(&l, FLAGS("--store.url=x://y", "--exchange.deflate=no", "--port=77")),
                     OK);
    struct buf shown = {0};
    config_show(l.c, &shown);
    write_file(shown.data);
    assert_int_equal(load(&again, FLAGS("--config", path)), OK);
    assert_string_equal(again.s.url, "x://y");
    assert_true(again.s.port == 77 && !again.s.deflate);
    buf_free(&shown);
    done(&l);
    done(&again);
}

static void flags_take_their_value_either_way(void **state)
{
    (void)state;
    struct loaded l;
    assert_int_equal(load(&l, FLAGS("--store.url=a=b", "--listen", "--x", "--serve.port", "-1")),
                     OK);
    assert_string_equal(l.s.url, "a=b");
    assert_string_equal(l.s.listen, "--x");
    assert_true(l.s.port == -1);
    done(&l);
    assert_int_equal(load(&l, FLAGS("--exchange.deflate", "false", "--exchange.deflate")), OK);
    assert_true(l.s.deflate); /* bare: true; and the last one counts */
    done(&l);
}

static void what_is_no_flag_is_left(void **state)
{
    (void)state;
    struct loaded l;
    int count;
    assert_int_equal(load(&l, FLAGS("one", "--exchange.deflate", "two", "-", "--", "--port")), OK);
    char *const *rest = config_rest(l.c, &count);
    assert_int_equal(count, 4);
    assert_string_equal(rest[0], "one");
    assert_string_equal(rest[1], "two");
    assert_string_equal(rest[2], "-");
    assert_string_equal(rest[3], "--port");
    done(&l);
}

static void expect_error(const char *const *argv, const char *part)
{
    struct loaded l;
    assert_int_equal(load(&l, argv), ERR_CONFIG);
    assert_null(l.c);
    assert_null(l.s.url); /* untouched */
    if (!strstr(l.error.data, part))
        fail_msg("\"%s\" does not say \"%s\"", l.error.data, part);
    assert_null(strchr(l.error.data, '\n'));
    done(&l);
}

static void errors_name_key_value_and_what_is_allowed(void **state)
{
    (void)state;
    expect_error(FLAGS("--port", "65536"), "serve.port: -1 ... 65535; got \"65536\" (flag --port)");
    expect_error(FLAGS("--port", "-2"), "got \"-2\"");
    expect_error(FLAGS("--port="), "got \"\"");
    expect_error(FLAGS("--port", "12x"), "got \"12x\"");
    expect_error(FLAGS("--port", "99999999999999999999"), "got");
    expect_error(FLAGS("--port", " 1"), "got");
    expect_error(FLAGS("--port"), "--port needs a value");
    expect_error(FLAGS("--log.level=loud"), "log.level: debug|info|warn; got \"loud\"");
    expect_error(FLAGS("--log.level=debug|info"), "got \"debug|info\"");
    expect_error(FLAGS("--log.level="), "got \"\"");
    expect_error(FLAGS("--log.level=inf"), "got");
    expect_error(FLAGS("--exchange.deflate=maybe"), "true|false");
    expect_error(FLAGS("--nope=secret"), "unknown flag --nope;");
    expect_error(FLAGS("-x"), "unknown flag -x");
    expect_error(FLAGS("--config", "/nonexistent/file"), "/nonexistent/file: No such file");
    expect_error(FLAGS("--config"), "--config needs a value");
    write_file("store.url = a\nnope = 1\n");
    expect_error(FLAGS("--config", path), ":2)");
    write_file("store.url\n");
    expect_error(FLAGS("--config", path), ":1: not a line `key = value`");
    write_file("listen = a\n"); /* short flags are no keys */
    expect_error(FLAGS("--config", path), "unknown key \"listen\"");
    setenv("STOFKA_SERVE_PORT", "no", 1);
    expect_error(FLAGS("one"), "(environment STOFKA_SERVE_PORT)");
    unsetenv("STOFKA_SERVE_PORT");
}

static void texts_for_people_name_every_row(void **state)
{
    (void)state;
    struct buf out = {0};
    config_usage(rows, &out);
    assert_non_null(strstr(out.data, "--serve.port, --port"));
    assert_non_null(strstr(out.data, "-1 ... 65535; default: 8080"));
    buf_clear(&out);
    config_markdown(rows, &out);
    assert_non_null(strstr(out.data, "| `log.level` | `--log.level` | `STOFKA_LOG_LEVEL` | "
                                     "debug\\|info\\|warn | `info` | level |"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_what_nobody_sets),
        cmocka_unit_test(file_environment_and_flags_outrank_each_other_in_turn),
        cmocka_unit_test(what_config_shows_can_be_loaded_again),
        cmocka_unit_test(flags_take_their_value_either_way),
        cmocka_unit_test(what_is_no_flag_is_left),
        cmocka_unit_test(errors_name_key_value_and_what_is_allowed),
        cmocka_unit_test(texts_for_people_name_every_row),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests_name("base_config", tests, NULL, NULL);
    unlink(path);
    return failed;
}
