/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system for SQLite that fails when told to: the n-th write, sync, truncation or growth of
 * any file answers an error, and all later ones too until it is mended. Becomes the default of the
 * process.
 */
#ifndef STOFKA_TEST_STORE_FAULT_VFS_H
#define STOFKA_TEST_STORE_FAULT_VFS_H

#include <stdbool.h>

void fault_vfs_install(void);
/* The next `after` operations still work, the `times` following ones answer SQLite's code. */
void fault_arm(int after, int times, int code);
enum { FAULT_STAYS = 1 << 30 };
void fault_mend(void);
int fault_seen(void); /* operations since the last arm or mend */
bool fault_hit(void); /* since the last arm */

#endif
