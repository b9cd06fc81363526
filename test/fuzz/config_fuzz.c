/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: any bytes. What was loaded, shown and loaded again must be the same. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"

struct settings {
    const char *url, *level;
    int64_t port;
    bool deflate;
};

static const struct config_row rows[] = {
    {.key = "url",
     .type = CONFIG_STRING,
     .def = "",
     .help = "a text",
     .offset = offsetof(struct settings, url)},
    {.key = "port",
     .type = CONFIG_INT,
     .def = "80",
     .min = -5,
     .max = 65535,
     .help = "a number",
     .offset = offsetof(struct settings, port)},
    {.key = "deflate",
     .type = CONFIG_BOOL,
     .def = "no",
     .help = "a switch",
     .offset = offsetof(struct settings, deflate)},
    {.key = "level",
     .type = CONFIG_CHOICE,
     .choices = "debug|info",
     .def = "info",
     .help = "a choice",
     .offset = offsetof(struct settings, level)},
    {.key = NULL},
};

static enum err load(const void *text, size_t len, struct settings *s, struct config **c,
                     struct buf *error)
{
    char flag[64];
    char *argv[] = {flag};
    int fd = memfd_create("config", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    snprintf(flag, sizeof flag, "--config=/proc/self/fd/%d", fd);
    enum err e = config_load(rows, 1, argv, s, c, error);
    close(fd);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings s = {0}, again = {0};
    struct config *c = NULL, *c_again = NULL;
    struct buf error = {0}, shown = {0};
    if (load(data, size, &s, &c, &error) != OK) {
        REQUIRE(!c && error.len > 0);
    } else {
        REQUIRE(s.port >= -5 && s.port <= 65535);
        REQUIRE(strcmp(s.level, "debug") == 0 || strcmp(s.level, "info") == 0);
        config_show(c, &shown);
        REQUIRE(load(shown.data, shown.len, &again, &c_again, &error) == OK);
        REQUIRE(strcmp(s.url, again.url) == 0 && strcmp(s.level, again.level) == 0);
        REQUIRE(s.port == again.port && s.deflate == again.deflate);
    }
    config_free(&c);
    config_free(&c_again);
    buf_free(&error);
    buf_free(&shown);
    return 0;
}
