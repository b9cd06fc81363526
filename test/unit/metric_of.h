/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a registered metric by its series as Prometheus sees it: `name` or `name{labels}`.
 * Include after cmocka.h. */
#ifndef STOFKA_TEST_METRIC_OF_H
#define STOFKA_TEST_METRIC_OF_H

#include <stdio.h>
#include <string.h>

#include "base/metric.h"

static inline int64_t metric_of(const char *series)
{
    struct buf text = {0}, line = {0};
    buf_printf(&line, "\n%s ", series);
    metric_text(&text);
    const char *at = strstr(text.data, line.data);
    assert_non_null(at);
    long long value = 0;
    assert_int_equal(sscanf(at + line.len, "%lld", &value), 1);
    buf_free(&text);
    buf_free(&line);
    return value;
}

#endif
