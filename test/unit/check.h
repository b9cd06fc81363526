/* SPDX-License-Identifier: Apache-2.0 */
/* check: what every cmocka test includes, in the order cmocka wants. */
#ifndef STOFKA_TEST_CHECK_H
#define STOFKA_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
