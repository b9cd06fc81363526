/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain main for any fuzz target: feeds it every file of the corpus folders named on the command
 * line, so that ordinary test runs replay what fuzzing once found. No file at all is a failure.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    struct stat st;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        fprintf(stderr, "%s: not a plain file\n", path);
        fclose(f);
        return 1;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1); /* exact size, so that ASan sees one byte too far */
    if (!data || fread(data, 1, size, f) != size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(data);
        fclose(f);
        return 1;
    }
    fclose(f);
    printf("%s\n", path);
    fflush(stdout); /* a crash shows which file it was */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

/* The number of files replayed, or -1. */
static int replay_folder(const char *folder)
{
    DIR *d = opendir(folder);
    if (!d) {
        perror(folder);
        return -1;
    }
    int count = 0;
    for (struct dirent *e = readdir(d); e && count >= 0; e = readdir(d)) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        int len = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        count = len < 0 || (size_t)len >= sizeof path || replay_file(path) ? -1 : count + 1;
    }
    closedir(d);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d files replayed\n", total);
    if (total == 0)
        fprintf(stderr, "no corpus: there was nothing to replay\n");
    return total == 0;
}
