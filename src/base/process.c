/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/metric.h"

static struct metric cpu =
    METRIC_COUNTER_MS("process_cpu_seconds_total", "User and system CPU time spent.", "");
static struct metric resident =
    METRIC_GAUGE("process_resident_memory_bytes", "Memory that is in RAM.", "");
static struct metric virtual_memory =
    METRIC_GAUGE("process_virtual_memory_bytes", "Address space in use.", "");
static struct metric open_fds = METRIC_GAUGE("process_open_fds", "Open file descriptors.", "");
static struct metric max_fds =
    METRIC_GAUGE("process_max_fds", "Most file descriptors it may open.", "");
static struct metric started = METRIC_GAUGE_MS(
    "process_start_time_seconds", "When the process started, seconds since 1970 UTC.", "");

void process_metrics_register(void)
{
    metric_register(&cpu);
    metric_register(&resident);
    metric_register(&virtual_memory);
    metric_register(&open_fds);
    metric_register(&max_fds);
    metric_register(&started);
}

static void measure_descriptors(void)
{
    struct rlimit limit;
    int64_t count = -3; /* ".", ".." and the folder's own */
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return;
    while (readdir(folder))
        count++;
    closedir(folder);
    metric_set(&open_fds, count);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(&max_fds, (int64_t)limit.rlim_cur);
}

static long long boot_time_s(void)
{
    char line[256];
    long long at = 0;
    FILE *f = fopen("/proc/stat", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "btime %lld", &at) == 1)
            break;
    if (f)
        fclose(f);
    return at;
}

/* proc(5): fields 14, 15, 22, 23, 24, counted after the name in brackets, which may hold anything.
 */
static void measure_stat(void)
{
    char text[1024];
    long long ticks = sysconf(_SC_CLK_TCK), user, system, start, pages;
    unsigned long long space;
    FILE *f = fopen("/proc/self/stat", "re");
    if (f == NULL)
        return;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *at = strrchr(text, ')');
    if (at == NULL || sscanf(at + 1,
                             " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %*d %*d %*d "
                             "%*d %*d %*d %lld %llu %lld",
                             &user, &system, &start, &space, &pages) != 5)
        return;
    metric_set(&cpu, (user + system) * 1000 / ticks);
    metric_set(&virtual_memory, (int64_t)space);
    metric_set(&resident, pages * sysconf(_SC_PAGESIZE));
    if (metric_get(&started) == 0)
        metric_set(&started, boot_time_s() * 1000 + start * 1000 / ticks);
}

void process_measure(void)
{
    measure_descriptors();
    measure_stat();
}
