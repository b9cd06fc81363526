/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/mem: allocation that cannot fail. Inputs are size-capped before they reach an allocation,
 * so running out of memory is a broken invariant: these log and abort, and no caller has an
 * out-of-memory branch. Free with free().
 */
#ifndef STOFKA_BASE_MEM_H
#define STOFKA_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);  /* contents undefined */
void *mem_zalloc(size_t size); /* zeroed */
void *mem_realloc(void *ptr, size_t size);
void *mem_array(void *ptr, size_t count, size_t size); /* overflow-checked realloc */
/* What was needed for a rush is the system's again when it is over: large arrays by themselves, and
 * the rest but for a reserve. Without it what a store that was away made wait is held for good.
 * Once, at the start of a process, before its threads. */
void mem_return_when_freed(void);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len);

#endif
