/* SPDX-License-Identifier: Apache-2.0 */
/* app/record_impl: what the writer and the reader of recordings share. */
#ifndef STOFKA_APP_RECORD_IMPL_H
#define STOFKA_APP_RECORD_IMPL_H

#include "app/record.h"

enum { RECORD_OF_MARKET = BUS_KIND_COUNT, RECORD_KINDS };
extern const char *const record_kinds[RECORD_KINDS];

#define UPBIT_MS_MAX INT64_C(253402300799999) /* the end of the year 9999 */

#endif
