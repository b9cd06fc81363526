/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock: the two clocks. Rooms that must be pure take times as arguments instead. */
#ifndef STOFKA_BASE_CLOCK_H
#define STOFKA_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void); /* UTC, ms since 1970; may step */
int64_t clock_mono_ms(void); /* never steps back; origin arbitrary */
int64_t clock_mono_ns(void);

#endif
