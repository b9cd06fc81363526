/* SPDX-License-Identifier: Apache-2.0 */
/* app/descriptors: how many files and sockets this process may have open. */
#ifndef STOFKA_APP_DESCRIPTORS_H
#define STOFKA_APP_DESCRIPTORS_H

#include <stdint.h>

/* Raises the process's limit for so many client connections beside what the store, the exchange
 * and the loop need. Returns how many there may be: fewer, and a warning, where the system's hard
 * limit is lower. Once, before connections are accepted. */
int64_t descriptors_for(int64_t connections);

#endif
