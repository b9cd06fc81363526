/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fault_vfs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* directly behind this struct */
    const char *path;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static sqlite3_io_methods methods;
static int seen, first = INT_MAX, count, code_armed;
static bool hit;
static const struct fault_observer *watching;

void fault_observe(const struct fault_observer *observer)
{
    watching = observer;
}

void fault_arm(int after, int times, int code)
{
    seen = 0;
    first = after;
    count = times;
    code_armed = code;
    hit = false;
}

void fault_mend(void)
{
    seen = 0;
    first = INT_MAX;
}

int fault_seen(void)
{
    return seen;
}

bool fault_hit(void)
{
    return hit;
}

/* The error of one operation, or SQLITE_OK. */
static int strike(void)
{
    int number = seen++;
    if (number < first || number - first >= count)
        return SQLITE_OK;
    hit = true;
    return code_armed;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct fault_file *)f)->real;
}

static const char *path_of(sqlite3_file *f)
{
    return ((struct fault_file *)f)->path;
}

static int fault_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

static int fault_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), to, len, at);
}

static int fault_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
    int rc = strike();
    if (watching && !rc)
        watching->write(path_of(f), from, len, at);
    /* A write that fails may have been done in part. */
    int rc_real = real_of(f)->pMethods->xWrite(real_of(f), from, rc ? len / 2 : len, at);
    return rc ? rc : rc_real;
}

static int fault_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = strike();
    if (watching && !rc)
        watching->truncate(path_of(f), size);
    return rc ? rc : real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int fault_sync(sqlite3_file *f, int flags)
{
    int rc = strike();
    if (watching && !rc)
        watching->sync(path_of(f));
    return rc ? rc : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int fault_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int fault_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int fault_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int fault_check_lock(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int fault_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int fault_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int fault_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int fault_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    int rc = extend ? strike() : SQLITE_OK;
    return rc ? rc : real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int fault_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}

static void fault_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int fault_shm_unmap(sqlite3_file *f, int remove)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static int fault_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    (void)v;
    struct fault_file *file = (struct fault_file *)f;
    file->real = (sqlite3_file *)&file[1];
    file->path = name ? name : "";
    int rc = real_vfs->xOpen(real_vfs, name, file->real, flags, out);
    f->pMethods = file->real->pMethods ? &methods : NULL;
    return rc;
}

static int fault_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
    (void)v;
    if (watching)
        watching->remove(name);
    return real_vfs->xDelete(real_vfs, name, sync_dir);
}

void fault_vfs_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
    vfs.xOpen = fault_open;
    vfs.xDelete = fault_delete;
    methods = (sqlite3_io_methods){.iVersion = 2,
                                   .xClose = fault_close,
                                   .xRead = fault_read,
                                   .xWrite = fault_write,
                                   .xTruncate = fault_truncate,
                                   .xSync = fault_sync,
                                   .xFileSize = fault_size,
                                   .xLock = fault_lock,
                                   .xUnlock = fault_unlock,
                                   .xCheckReservedLock = fault_check_lock,
                                   .xFileControl = fault_control,
                                   .xSectorSize = fault_sector,
                                   .xDeviceCharacteristics = fault_traits,
                                   .xShmMap = fault_shm_map,
                                   .xShmLock = fault_shm_lock,
                                   .xShmBarrier = fault_shm_barrier,
                                   .xShmUnmap = fault_shm_unmap};
    sqlite3_vfs_register(&vfs, 1);
}
