/* SPDX-License-Identifier: Apache-2.0 */
/* app/gz_file: a file to read, gzip or plain, as a stream; errors come through ferror. */
#ifndef STOFKA_APP_GZ_FILE_H
#define STOFKA_APP_GZ_FILE_H

#include <stdio.h>

FILE *gz_file_open(const char *path); /* NULL: errno; close with fclose */

#endif
