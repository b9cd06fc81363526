/* SPDX-License-Identifier: Apache-2.0 */
#include "app/descriptors.h"

#include <sys/resource.h>

#include "base/log.h"

/* Never a client's: data file and its readers, sockets to the exchange, admin listener, refusals.
 */
enum { RESERVED = 256, LEAST = 16 };

int64_t descriptors_for(int64_t connections)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + RESERVED;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return connections;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted)
        return connections;
    int64_t fit = (int64_t)limit.rlim_cur - RESERVED;
    fit = fit < LEAST ? LEAST : fit;
    log_warn("run.few_descriptors", "limit=%lld wanted=%lld connections=%lld",
             (long long)limit.rlim_cur, (long long)wanted, (long long)fit);
    return fit;
}
