/* SPDX-License-Identifier: Apache-2.0 */
/* base/utf8: whether bytes from outside are text. Pure. */
#ifndef STOFKA_BASE_UTF8_H
#define STOFKA_BASE_UTF8_H

#include <stddef.h>

/* Length of the character of more than one byte that begins at text (RFC 3629: no overlong forms,
 * no surrogates, at most U+10FFFF); 0: none does. */
size_t utf8_length(const char *text, size_t left);

#endif
