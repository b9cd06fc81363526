/* SPDX-License-Identifier: Apache-2.0 */
#include "app/tool_admin.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "app/tool.h"
#include "base/clock.h"
#include "base/mem.h"

enum { BUSY_PAUSE_MS = 50, BUSY_MAX_MS = 120000, TIMEOUT_MS = 60000, ANSWER_MAX = 1 << 20 };

struct tool_admin {
    char *url;
    CURL *easy;
    struct buf *answer;
    char curl_error[CURL_ERROR_SIZE];
    pid_t child; /* 0: none of our own */
    FILE *child_log;
    pthread_t drain;
    bool draining;
};

/* --- the process that has the folder ---------------------------------------------------- */

/* true: some process has it; its address, if it said one, in *url. */
static bool is_held(const char *data, struct buf *url)
{
    struct buf path = {0};
    char text[256];
    buf_printf(&path, "%s/stofka.lock", data);
    int fd = open(path.data, O_RDWR | O_CLOEXEC);
    buf_free(&path);
    if (fd < 0)
        return false;
    bool held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ssize_t n = held ? pread(fd, text, sizeof text, 0) : 0;
    if (n > 0)
        buf_add(url, text, strcspn(text, "\n") < (size_t)n ? strcspn(text, "\n") : (size_t)n);
    close(fd);
    return held;
}

/* --- a process of our own --------------------------------------------------------------- */

static void become(const struct tool_admin_settings *s, int log_fd)
{
    setpgid(0, 0); /* Ctrl-C is the tool's: it ends this process when all is said */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_DFL);
    dup2(log_fd, STDERR_FILENO);
    dup2(log_fd, STDOUT_FILENO);
    execl("/proc/self/exe", "stofka", "run", "--exchange", s->exchange, "--codes", s->codes,
          "--data", s->data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log.level",
          "info", (char *)NULL);
    _exit(127);
}

/* Lines of the child: its address, or what went wrong. */
static bool take_line(struct tool_admin *a, const char *line, struct buf *error)
{
    const char *at = strstr(line, " admin=http://");
    if (strstr(line, "event=serve.listening") && at) {
        at += strlen(" admin=");
        a->url = mem_strndup(at, strcspn(at, " \n"));
        return true;
    }
    if (strncmp(line, "stofka run: ", 12) == 0)
        buf_add(error, line + 12, strcspn(line + 12, "\n"));
    return false;
}

/* What the child still says is read, so that it never waits; errors are shown. */
static void *drain(void *ctx)
{
    struct tool_admin *a = ctx;
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, a->child_log) >= 0)
        if (strstr(line, "level=error"))
            fputs(line, stderr);
    free(line);
    return NULL;
}

static enum err start_child(struct tool_admin *a, const struct tool_admin_settings *s,
                            struct buf *error)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return ERR_IO;
    a->child = fork();
    if (a->child == 0)
        become(s, fds[1]);
    close(fds[1]);
    a->child_log = fdopen(fds[0], "r");
    char *line = NULL;
    size_t cap = 0;
    while (a->child > 0 && !a->url && getline(&line, &cap, a->child_log) >= 0)
        take_line(a, line, error);
    free(line);
    if (!a->url) {
        if (!error->len)
            buf_str(error, "a process to write the data could not be started");
        return ERR_IO;
    }
    a->draining = pthread_create(&a->drain, NULL, drain, a) == 0;
    return OK;
}

static void end_child(struct tool_admin *a)
{
    int status = 0;
    if (a->child > 0) {
        kill(a->child, SIGTERM);
        while (waitpid(a->child, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (status != 0 && a->url)
        fprintf(stderr, "stofka: the process that wrote the data ended with status %d\n", status);
    if (a->draining)
        pthread_join(a->drain, NULL);
    if (a->child_log)
        fclose(a->child_log);
}

/* --- talking ---------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct tool_admin *a = ctx;
    if (a->answer->len + size * count > ANSWER_MAX)
        return 0;
    buf_add(a->answer, bytes, size * count);
    return size * count;
}

static void open_curl(struct tool_admin *a)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    a->easy = curl_easy_init();
    REQUIRE(a->easy != NULL);
    curl_easy_setopt(a->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(a->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(a->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(a->easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(a->easy, CURLOPT_ERRORBUFFER, a->curl_error);
    curl_easy_setopt(a->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(a->easy, CURLOPT_WRITEDATA, a);
}

enum err tool_admin_open(const struct tool_admin_settings *s, struct tool_admin **out,
                         struct buf *error)
{
    struct tool_admin *a = mem_zalloc(sizeof *a);
    struct buf url = {0};
    enum err e = OK;
    if (s->admin[0]) {
        buf_str(&url, s->admin);
    } else if (is_held(s->data, &url) && !url.len) {
        buf_printf(error,
                   "--data: a running stofka has %s and does not say its admin address: give it "
                   "as --admin http://HOST:PORT, or stop that process",
                   s->data);
        e = ERR_CONFIG;
    } else if (!url.len) {
        e = start_child(a, s, error);
    }
    if (url.len)
        a->url = mem_strndup(url.data, url.len - (url.data[url.len - 1] == '/'));
    buf_free(&url);
    *out = a;
    if (e == OK)
        open_curl(a);
    else
        tool_admin_close(out);
    return e;
}

void tool_admin_close(struct tool_admin **a)
{
    if (*a == NULL)
        return;
    if ((*a)->easy) {
        curl_easy_cleanup((*a)->easy);
        curl_global_cleanup();
    }
    end_child(*a);
    free((*a)->url);
    free(*a);
    *a = NULL;
}

static void pause_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static enum err post_once(struct tool_admin *a, const char *url, const char *body, size_t len,
                          long *status)
{
    buf_clear(a->answer);
    a->curl_error[0] = '\0';
    curl_easy_setopt(a->easy, CURLOPT_URL, url);
    curl_easy_setopt(a->easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(a->easy, CURLOPT_POSTFIELDSIZE, (long)len);
    if (curl_easy_perform(a->easy) != CURLE_OK)
        return ERR_IO;
    curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, status);
    return OK;
}

enum err tool_admin_post(struct tool_admin *a, const char *path, const char *body, size_t len,
                         struct buf *answer, struct buf *error)
{
    struct buf url = {0};
    long status = 0;
    int64_t began = clock_mono_ms();
    a->answer = answer;
    buf_printf(&url, "%s%s", a->url, path);
    enum err e;
    while ((e = post_once(a, url.data, body, len, &status)) == OK && status == 503 && answer->len &&
           strstr(answer->data, "\"busy\"") && !tool_interrupted() &&
           clock_mono_ms() - began < BUSY_MAX_MS)
        pause_ms(BUSY_PAUSE_MS);
    if (e != OK)
        buf_printf(error, "%s can't be reached: %s", a->url, a->curl_error);
    else if (status != 200)
        buf_printf(error, "%s answers %ld: %s", url.data, status, answer->len ? answer->data : "");
    buf_free(&url);
    return e == OK && status != 200 ? ERR_INVALID : e;
}
