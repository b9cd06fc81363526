/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct exchange_markets *exchange_markets_new(void)
{
    return mem_zalloc(sizeof(struct exchange_markets));
}

void exchange_markets_free(struct exchange_markets **m)
{
    if (*m == NULL)
        return;
    free((*m)->at);
    free((*m)->by_code);
    free(*m);
    *m = NULL;
}

void exchange_markets_add(struct exchange_markets *m, const struct upbit_market *market)
{
    if (m->count == m->cap) {
        m->cap = m->cap > 0 ? m->cap * 2 : 64;
        m->at = mem_array(m->at, m->cap, sizeof(*m->at));
    }
    m->at[m->count++] = *market;
}

static int code_order(const void *a, const void *b, void *at)
{
    const struct upbit_market *markets = at;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int c = strcmp(markets[x].code, markets[y].code);

    return c != 0 ? c : (x > y) - (x < y);
}

static void index_make(struct exchange_markets *m)
{
    m->by_code = mem_array(m->by_code, m->count > 0 ? m->count : 1, sizeof(*m->by_code));
    for (size_t i = 0; i < m->count; i++)
        m->by_code[i] = i;
    if (m->count > 0)
        qsort_r(m->by_code, m->count, sizeof(*m->by_code), code_order, m->at);
}

static bool drop_twice(struct exchange_markets *m)
{
    size_t kept = 0, count = m->count;

    for (size_t i = 1; i < count; i++) {
        const char *before = m->at[m->by_code[i - 1]].code;

        if (strcmp(before, m->at[m->by_code[i]].code) == 0) {
            memmove(m->at[m->by_code[i]].code, "", 1);
            m->by_code[i] = m->by_code[i - 1];
        }
    }
    for (size_t i = 0; i < count; i++)
        if (m->at[i].code[0] != '\0')
            m->at[kept++] = m->at[i];
    m->count = kept;
    return kept != count;
}

void exchange_markets_seal(struct exchange_markets *m)
{
    index_make(m);
    if (drop_twice(m))
        index_make(m);
}

const struct upbit_market *exchange_markets_find(const struct exchange_markets *m, const char *code)
{
    size_t low = 0, high = m->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(m->at[m->by_code[mid]].code, code);

        if (c == 0)
            return &m->at[m->by_code[mid]];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

bool exchange_markets_same_codes(const struct exchange_markets *a, const struct exchange_markets *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->at[a->by_code[i]].code, b->at[b->by_code[i]].code) != 0)
            return false;
    return true;
}

bool exchange_markets_equal(const struct exchange_markets *a, const struct exchange_markets *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->at[i].code, b->at[i].code) != 0 ||
            strcmp(a->at[i].korean_name, b->at[i].korean_name) != 0 ||
            strcmp(a->at[i].english_name, b->at[i].english_name) != 0)
            return false;
    return true;
}

static bool code_add(struct exchange_markets *m, const char *code, size_t len, char bad[64])
{
    struct upbit_market market = {0};

    while (len > 0 && code[0] == ' ') {
        code++;
        len--;
    }
    while (len > 0 && code[len - 1] == ' ')
        len--;
    if (!upbit_code_valid(code, len)) {
        len = len < 63 ? len : 63;
        memcpy(bad, code, len);
        bad[len] = '\0';
        return false;
    }
    memcpy(market.code, code, len);
    memcpy(market.korean_name, code, len);
    memcpy(market.english_name, code, len);
    exchange_markets_add(m, &market);
    return true;
}

struct exchange_markets *exchange_markets_parse(const char *codes, char bad[64])
{
    struct exchange_markets *m = exchange_markets_new();

    for (;;) {
        size_t n = strcspn(codes, ",");

        if (!code_add(m, codes, n, bad)) {
            exchange_markets_free(&m);
            return NULL;
        }
        if (codes[n] == '\0')
            break;
        codes += n + 1;
    }
    exchange_markets_seal(m);
    return m;
}

struct exchange_markets *exchange_markets_choose(const struct exchange_markets *all,
                                                 const struct exchange_markets *wanted)
{
    struct exchange_markets *m = exchange_markets_new();

    for (size_t i = 0; i < all->count; i++)
        if (wanted != NULL ? exchange_markets_find(wanted, all->at[i].code) != NULL
                           : strncmp(all->at[i].code, "KRW-", 4) == 0)
            exchange_markets_add(m, &all->at[i]);
    exchange_markets_seal(m);
    return m;
}
