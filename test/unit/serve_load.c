/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_load: many SSE clients on one thread, for measuring serve_probe.
 *
 *     serve_load PORT CLIENTS SECONDS PATH [deaf]     deaf: connect, then never read
 *
 * Prints deliveries a second, bytes, and the delay of tickers (their "sent" is the monotonic
 * clock of the probe on this machine), taken on every 16th client.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { DELAYS_MAX = 4 << 20, READ_SIZE = 256 * 1024 };

static int64_t delays[DELAYS_MAX];
static size_t delay_count;

static int connect_one(int port, const char *path)
{
    char text[512];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("connect");
        exit(1);
    }
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    if (write(fd, text, (size_t)n) != n)
        exit(1);
    return fd;
}

static size_t count_blocks(const char *at, size_t len)
{
    size_t n = 0;
    const char *end = at + len;
    while ((at = memmem(at, (size_t)(end - at), "event: ", 7)) != NULL) {
        n++;
        at += 7;
    }
    return n;
}

static void note_delays(char *at, size_t len)
{
    int64_t now = clock_mono_ns();
    at[len] = '\0';
    while ((at = strstr(at, "\"sent\":")) != NULL && delay_count < DELAYS_MAX) {
        at += 7;
        if (strchr(at, ','))
            delays[delay_count++] = now - strtoll(at, NULL, 10);
    }
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double delay_ms(double part)
{
    return delay_count ? (double)delays[(size_t)((double)(delay_count - 1) * part)] / 1e6 : 0;
}

static void report(size_t events, size_t bytes, size_t closed, double seconds)
{
    qsort(delays, delay_count, sizeof delays[0], by_value);
    printf("%.0f deliveries/s %.1f MB/s closed=%zu delay ms p50 %.2f p99 %.2f max %.2f\n",
           (double)events / seconds, (double)bytes / seconds / 1e6, closed, delay_ms(0.5),
           delay_ms(0.99), delay_ms(1.0));
}

static void measure(int poll_fd, int64_t seconds)
{
    static char buf[READ_SIZE + 1];
    struct epoll_event ready[256];
    size_t events = 0, bytes = 0, closed = 0;
    int64_t begin = clock_mono_ms(), now = begin;
    for (; now - begin < seconds * 1000; now = clock_mono_ms()) {
        int n = epoll_wait(poll_fd, ready, 256, 100);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            ssize_t len = read(fd, buf, READ_SIZE);
            if (len <= 0) {
                close(fd);
                closed++;
                continue;
            }
            bytes += (size_t)len;
            events += count_blocks(buf, (size_t)len);
            if (fd % 16 == 0)
                note_delays(buf, (size_t)len);
        }
    }
    report(events, bytes, closed, (double)(now - begin) / 1000.0);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: serve_load PORT CLIENTS SECONDS PATH [deaf]\n");
        return 2;
    }
    int poll_fd = epoll_create1(0);
    for (int i = 0; i < atoi(argv[2]); i++) {
        struct epoll_event e = {.events = EPOLLIN};
        e.data.fd = connect_one(atoi(argv[1]), argv[4]);
        if (argc == 5)
            epoll_ctl(poll_fd, EPOLL_CTL_ADD, e.data.fd, &e);
    }
    measure(poll_fd, atoi(argv[3]));
    return 0;
}
