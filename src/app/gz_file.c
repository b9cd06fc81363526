/* SPDX-License-Identifier: Apache-2.0 */
#include "app/gz_file.h"

#include <errno.h>

#include <zlib.h>

enum { PIECE = 1 << 17 };

static ssize_t gz_read(void *cookie, char *out, size_t size)
{
    int n = gzread((gzFile)cookie, out, size > PIECE ? PIECE : (unsigned)size);
    int e = Z_OK;
    if (n == 0) /* a gzip that was cut off ends like a whole one but for this */
        (void)gzerror((gzFile)cookie, &e);
    if (e != Z_OK && e != Z_STREAM_END)
        errno = EILSEQ;
    return e == Z_OK || e == Z_STREAM_END ? n : -1;
}

static int gz_close(void *cookie)
{
    return gzclose_r((gzFile)cookie) == Z_OK ? 0 : EOF;
}

FILE *gz_file_open(const char *path)
{
    static const cookie_io_functions_t io = {.read = gz_read, .close = gz_close};
    gzFile gz = gzopen(path, "rbe");
    if (gz == NULL)
        return NULL;
    (void)gzbuffer(gz, PIECE);
    FILE *f = fopencookie(gz, "r", io);
    if (f == NULL)
        (void)gzclose_r(gz);
    return f;
}
