/* SPDX-License-Identifier: Apache-2.0 */
/* Answer headers, a ban's body and base addresses: any bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "exchange/header.h"
#include "exchange/list.h"
#include "exchange/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void values_check(const char *text, size_t len)
{
    struct exchange_remaining r;
    int64_t v;

    if (exchange_remaining_read(text, len, &r))
        REQUIRE(r.group[0] != '\0' && r.sec >= 0 && memchr(r.group, '\0', sizeof(r.group)) != NULL);
    if (exchange_date_read(text, len, &v))
        REQUIRE(v >= 0 && v % 1000 == 0);
    if (exchange_seconds_read(text, len, &v))
        REQUIRE(v >= 0);
    REQUIRE(exchange_ban_read(text, len) >= 0);
}

static void settings_check(const char *text)
{
    char bad[64];
    struct exchange_markets *m = exchange_markets_parse(text, bad);
    struct exchange_url u;

    if (m != NULL)
        REQUIRE(m->count > 0 && exchange_markets_find(m, m->at[0].code) == &m->at[0]);
    exchange_markets_free(&m);
    if (exchange_url_read(text, &u))
        REQUIRE(u.port >= 1 && u.port <= 65535 && u.host[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"Remaining-Req", "Date", "Retry-After"};
    char *text = mem_strndup((const char *)data, size);
    const char *value;
    size_t len;

    values_check((const char *)data, size);
    for (int i = 0; i < 3; i++)
        if (exchange_header_is((const char *)data, size, names[i], &value, &len))
            values_check(value, len);
    settings_check(text);
    free(text);
    return 0;
}
