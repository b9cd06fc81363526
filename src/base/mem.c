/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* malloc(0) may return NULL without being out of memory: ask for at least one byte. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *mem_alloc(size_t size)
{
    void *ptr = malloc(at_least_one(size));
    REQUIRE(ptr != NULL);
    return ptr;
}

void *mem_zalloc(size_t size)
{
    void *ptr = calloc(1, at_least_one(size));
    REQUIRE(ptr != NULL);
    return ptr;
}

void *mem_realloc(void *ptr, size_t size)
{
    void *grown = realloc(ptr, at_least_one(size));
    REQUIRE(grown != NULL);
    return grown;
}

void *mem_array(void *ptr, size_t count, size_t size)
{
    size_t bytes;
    REQUIRE(!__builtin_mul_overflow(count, size, &bytes));
    return mem_realloc(ptr, bytes);
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t len)
{
    len = strnlen(text, len);
    char *copy = mem_alloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void mem_return_when_freed(void)
{
    /* glibc raises both by itself with each large array that is freed, unless they were set. */
    enum { LARGE_BYTES = 4 << 20, RESERVE_BYTES = 16 << 20 };
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, RESERVE_BYTES);
}
