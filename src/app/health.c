/* SPDX-License-Identifier: Apache-2.0 */
#include "app/health.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "app/tool.h"

enum { ANSWER_MAX = 4096 };

struct health_settings {
    const char *listen;
    bool ready;
    int64_t patience_ms;
};

#define AT(field) .offset = offsetof(struct health_settings, field)

/* serve.listen is the key of `run`, so that both read the same environment variable and file. */
static const struct config_row health_rows[] = {
    {.key = "serve.listen",
     .flag = "listen",
     .type = CONFIG_STRING,
     .def = "127.0.0.1:8080",
     AT(listen),
     .help = "Address and port to ask; 0.0.0.0 and [::] mean this machine."},
    {.key = "health.ready",
     .flag = "ready",
     .type = CONFIG_BOOL,
     .def = "false",
     AT(ready),
     .help = "Asks /readyz (answers are true and current) instead of /healthz (alive)."},
    {.key = "health.patience_ms",
     .flag = "patience",
     .type = CONFIG_INT,
     .def = "3000",
     .min = 10,
     .max = 60000,
     AT(patience_ms),
     .help = "Time to answer, ms."},
    {0},
};

static size_t take(char *data, size_t size, size_t count, void *ctx)
{
    struct buf *answer = ctx;
    if (answer->len + size * count > ANSWER_MAX)
        return 0;
    buf_add(answer, data, size * count);
    return size * count;
}

/* Who listens everywhere is asked on loopback. */
static void write_url(const struct health_settings *s, struct buf *url)
{
    static const struct {
        const char *any, *own;
    } hosts[] = {{"0.0.0.0:", "127.0.0.1:"}, {"[::]:", "[::1]:"}};
    const char *rest = s->listen;
    buf_str(url, "http://");
    for (size_t k = 0; k < sizeof hosts / sizeof *hosts; k++)
        if (strncmp(rest, hosts[k].any, strlen(hosts[k].any)) == 0) {
            buf_str(url, hosts[k].own);
            rest += strlen(hosts[k].any);
        }
    buf_printf(url, "%s%s", rest, s->ready ? "/readyz" : "/healthz");
}

static enum err judge(CURL *easy, CURLcode code, const char *url, const struct buf *answer,
                      struct buf *error)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        buf_printf(error, "%s: %s", url, curl_easy_strerror(code));
    else if (status != 200)
        buf_printf(error, "%s: %ld %.*s", url, status, (int)answer->len,
                   answer->data ? answer->data : "");
    return error->len ? ERR_IO : OK;
}

static enum err ask(void *settings, char *const *files, int count, struct buf *error)
{
    struct health_settings *s = settings;
    struct buf url = {0}, answer = {0};
    (void)files, (void)count;
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        buf_str(error, "no memory");
        return ERR_IO;
    }
    write_url(s, &url);
    curl_easy_setopt(easy, CURLOPT_URL, url.data);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)s->patience_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    enum err e = judge(easy, curl_easy_perform(easy), url.data, &answer, error);
    if (e == OK)
        printf("%.*s\n", (int)answer.len, answer.data ? answer.data : "");
    curl_easy_cleanup(easy);
    buf_free(&url);
    buf_free(&answer);
    return e;
}

int health_main(int argc, char **argv)
{
    struct health_settings settings;
    struct tool t = {.name = "health", .rows = health_rows, .settings = &settings, .work = ask};
    return tool_run(&t, argc, argv);
}

int health_help(void)
{
    return tool_usage("usage: stofka health [FLAGS]\n\nAsks a running process how it is. Exit code "
                      "0: well, 1: not, or not reached.\n\n",
                      health_rows);
}
