/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fan_load: many SSE clients on one thread, for measuring serve_probe and fan_raw.
 *
 *     fan_load PORT PID CLIENTS KEYS MARKETS WARM SECONDS
 *
 * Says "connected" when all were answered, and goes on with a byte on standard input (ends
 * without).
 *
 * Client c follows candle.1s of KEYS markets from c on, evenly spread over MARKETS. Every 16th
 * client's bytes are read and its events counted and timed ("sent" is this machine's monotonic
 * clock); the others' are only counted and thrown away in the kernel, so that the measure is not
 * the load's own limit. All follow equally many keys, so events = all bytes / bytes of the timed *
 * their events. Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

enum { DELAYS_MAX = 8 << 20, READ_SIZE = 256 * 1024, TIMED = 16, ANSWERED_S = 60 };

struct load {
    int port, pid, clients, keys, markets, poll_fd;
    int64_t warm, seconds;
    bool measuring;
    bool *heard; /* of each client: it was answered */
    int heard_count;
    int64_t *delays;
    size_t delay_count, bytes, timed_bytes, closed;
};

static int connect_one(const struct load *l, int number)
{
    char text[1024];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("connect");
        exit(1);
    }
    int n = snprintf(text, sizeof text, "GET /stream?");
    for (int k = 0; k < l->keys; k++)
        n += snprintf(text + n, sizeof text - (size_t)n, "sub=candle.1s:KRW-M%d&",
                      (number + k * (l->markets / l->keys)) % l->markets);
    n += snprintf(text + n - 1, sizeof text - (size_t)n,
                  " HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n") -
         1;
    REQUIRE(write(fd, text, (size_t)n) == n);
    return fd;
}

static void note_delays(struct load *l, char *at, size_t len)
{
    int64_t now = clock_mono_ns();
    at[len] = '\0';
    while ((at = strstr(at, "\"sent\":")) != NULL && l->delay_count < DELAYS_MAX) {
        at += 7;
        l->delays[l->delay_count++] = now - strtoll(at, NULL, 10);
        at += strnlen(at, 250); /* the rest of the event */
    }
}

static void take(struct load *l, int number, int fd)
{
    static char buf[READ_SIZE + 1];
    bool timed = number % TIMED == 0;
    ssize_t len = recv(fd, buf, READ_SIZE, timed ? 0 : MSG_TRUNC);
    if (len <= 0) {
        close(fd);
        l->closed++;
        return;
    }
    l->heard_count += !l->heard[number];
    l->heard[number] = true;
    if (l->measuring) {
        l->bytes += (size_t)len;
        if (timed) {
            l->timed_bytes += (size_t)len;
            note_delays(l, buf, (size_t)len);
        }
    }
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double delay_ms(const struct load *l, double part)
{
    size_t at = (size_t)((double)(l->delay_count - 1) * part);
    return l->delay_count ? (double)l->delays[at] / 1e6 : 0;
}

/* Seconds of processor that a process has taken so far. */
static double cpu_of(int pid)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[len] = '\0';
    const char *at = strrchr(text, ')');
    REQUIRE(at && sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &system) == 2);
    fclose(f);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void report(struct load *l, double seconds, double cpu)
{
    qsort(l->delays, l->delay_count, sizeof l->delays[0], by_value);
    double events =
        l->timed_bytes ? (double)l->delay_count * (double)l->bytes / (double)l->timed_bytes : 0;
    printf("{\"deliveries_per_s\": %.0f, \"per_cpu_s\": %.0f, \"cpu\": %.3f, \"bytes_per_s\": "
           "%.0f, \"closed\": %zu, \"timed\": %zu, "
           "\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}\n",
           events / seconds, cpu > 0 ? events / cpu : 0, cpu / seconds, (double)l->bytes / seconds,
           l->closed, l->delay_count, delay_ms(l, 0.5), delay_ms(l, 0.99), delay_ms(l, 1));
}

static void read_for(struct load *l, int64_t ms)
{
    struct epoll_event ready[256];
    for (int64_t begin = clock_mono_ms(); clock_mono_ms() - begin < ms;) {
        int n = epoll_wait(l->poll_fd, ready, 256, 100);
        for (int i = 0; i < n; i++)
            take(l, (int)(ready[i].data.u64 >> 32), (int)(ready[i].data.u64 & 0xffffffff));
    }
}

/* Says that all are connected, and waits for a word; false: there is none. */
static bool wait_for_word(void)
{
    char word;
    puts("connected");
    fflush(stdout);
    return read(0, &word, 1) > 0;
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fputs("usage: fan_load PORT PID CLIENTS KEYS MARKETS WARM SECONDS\n", stderr);
        return 2;
    }
    struct load l = {.port = atoi(argv[1]),
                     .pid = atoi(argv[2]),
                     .clients = atoi(argv[3]),
                     .keys = atoi(argv[4]),
                     .markets = atoi(argv[5]),
                     .warm = atoll(argv[6]),
                     .seconds = atoll(argv[7])};
    l.poll_fd = epoll_create1(0);
    l.heard = mem_zalloc((size_t)l.clients * sizeof *l.heard);
    l.delays = mem_array(NULL, DELAYS_MAX, sizeof *l.delays);
    for (int i = 0; i < l.clients; i++) {
        int fd = connect_one(&l, i);
        struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)i << 32 | (uint32_t)fd};
        epoll_ctl(l.poll_fd, EPOLL_CTL_ADD, fd, &e);
        if (i % 64 == 0)
            read_for(&l, 1);
    }
    for (int k = 0; k < ANSWERED_S && l.heard_count < l.clients; k++)
        read_for(&l, 1000);
    REQUIRE(l.heard_count == l.clients);
    if (!wait_for_word())
        return 0;
    read_for(&l, l.warm * 1000);
    l.measuring = true;
    double cpu = cpu_of(l.pid);
    int64_t begin = clock_mono_ns();
    read_for(&l, l.seconds * 1000);
    report(&l, (double)(clock_mono_ns() - begin) / 1e9, cpu_of(l.pid) - cpu);
    return 0;
}
