/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system for SQLite that fails when told to: the n-th write, sync, truncation or growth of
 * any file answers an error, and all later ones too until it is mended. Becomes the default of the
 * process.
 */
#ifndef STOFKA_TEST_STORE_FAULT_VFS_H
#define STOFKA_TEST_STORE_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

void fault_vfs_install(void);
/* The next `after` operations still work, the `times` following ones answer SQLite's code. */
void fault_arm(int after, int times, int code);
enum { FAULT_STAYS = 1 << 30 };
void fault_mend(void);
int fault_seen(void); /* operations since the last arm or mend */
bool fault_hit(void); /* since the last arm */

/* Sees each operation before it is done. path: as SQLite names the file. */
struct fault_observer {
    void (*write)(const char *path, const void *data, int len, int64_t at);
    void (*truncate)(const char *path, int64_t size);
    void (*sync)(const char *path);
    void (*remove)(const char *path);
};
void fault_observe(const struct fault_observer *observer); /* NULL: nobody */

#endif
