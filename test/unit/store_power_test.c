/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A power cut at random moments of a fixed seed: what was written since the last sync of its file
 * is on the disk or not, each sector by its own luck. What comes back is a whole batch, and none
 * that was reported as kept is missing.
 */
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "store_fault_vfs.h"
#include "store_fixture.h"

enum { FILES = 4, SECTOR = 512, BATCHES = 60, ROWS = 40, BODY = 1 << 20, CUTS_MIN = 60 };

/* A write not yet synced, or with data NULL a truncation to `at`. */
struct pending {
    struct pending *next;
    char *data;
    size_t len;
    int64_t at;
};

struct disk_file {
    char name[64];
    struct buf synced; /* what no power cut can take */
    struct pending *first, **last;
};

static struct disk_file disk[FILES];
static uint32_t luck = 31415926;
static int until_cut;    /* operations */
static char cut_dir[64]; /* where the disk as the cut leaves it goes */
static bool cut;

static uint32_t random_below(uint32_t bound)
{
    luck = luck * 1664525 + 1013904223;
    return (luck >> 8) % bound;
}

static struct disk_file *file_of(const char *path)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", path);
    const char *name = basename(copy);
    for (int i = 0; i < FILES; i++) {
        if (!disk[i].name[0]) {
            snprintf(disk[i].name, sizeof disk[i].name, "%s", name);
            disk[i].last = &disk[i].first;
        }
        if (strcmp(disk[i].name, name) == 0)
            return &disk[i];
    }
    fail_msg("more files than expected: %s", name);
    return NULL;
}

static void resize(struct buf *b, size_t len)
{
    if (len > b->len)
        memset(buf_reserve(b, len - b->len), 0, len - b->len);
    b->len = len;
}

static void put_sectors(struct buf *to, const struct pending *p, bool all)
{
    for (size_t done = 0; done < p->len; done += SECTOR) {
        size_t len = p->len - done < SECTOR ? p->len - done : SECTOR;
        if (!all && random_below(2))
            continue;
        if (to->len < (size_t)p->at + done + len)
            resize(to, (size_t)p->at + done + len);
        memcpy(to->data + p->at + done, p->data + done, len);
    }
}

static void put_pending(struct buf *to, const struct pending *p, bool all)
{
    if (p->data)
        put_sectors(to, p, all);
    else if (all || random_below(2))
        resize(to, (size_t)p->at);
}

static void drop_pending(struct disk_file *f)
{
    for (struct pending *p = f->first, *next; p; p = next) {
        next = p->next;
        free(p->data);
        free(p);
    }
    f->first = NULL;
    f->last = &f->first;
}

/* Writes the disk as it might be found after the power comes back. */
static void cut_power(void)
{
    for (int i = 0; i < FILES && disk[i].name[0]; i++) {
        struct buf found_there = {0};
        char path[512];
        buf_add(&found_there, disk[i].synced.data, disk[i].synced.len);
        for (struct pending *p = disk[i].first; p; p = p->next)
            put_pending(&found_there, p, false);
        snprintf(path, sizeof path, "%s/%s", cut_dir, disk[i].name);
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(found_there.data, 1, found_there.len, out), found_there.len);
        assert_int_equal(fclose(out), 0);
        buf_free(&found_there);
    }
    cut = true;
}

static void count_down(void)
{
    if (!cut && --until_cut <= 0)
        cut_power();
}

static void add_pending(const char *path, const void *data, size_t len, int64_t at)
{
    struct disk_file *f = file_of(path);
    struct pending *p = mem_zalloc(sizeof *p);
    if (data) {
        p->data = mem_alloc(len);
        memcpy(p->data, data, len);
    }
    p->len = len;
    p->at = at;
    *f->last = p;
    f->last = &p->next;
    count_down();
}

static void see_write(const char *path, const void *data, int len, int64_t at)
{
    add_pending(path, data, (size_t)len, at);
}

static void see_truncate(const char *path, int64_t size)
{
    add_pending(path, NULL, 0, size);
}

static void see_sync(const char *path)
{
    count_down();
    struct disk_file *f = file_of(path);
    for (struct pending *p = f->first; p; p = p->next)
        put_pending(&f->synced, p, true);
    drop_pending(f);
}

static void see_remove(const char *path)
{
    struct disk_file *f = file_of(path);
    drop_pending(f);
    resize(&f->synced, 0);
}

static const struct fault_observer observer = {see_write, see_truncate, see_sync, see_remove};

static void put_batch(struct fixture *f, int k)
{
    static struct store_row rows[ROWS];
    static char body[BODY];
    char code[CODE_MAX];
    for (int i = 0; i < ROWS; i++) {
        snprintf(code, sizeof code, "KRW-C%d", i % 5);
        rows[i] = row_of(code, (enum interval)(i % 12), (i + k) * 1000, k);
    }
    struct store_span span = {0, k};
    struct store_coverage coverage = {"KRW-C1", INTERVAL_1S, false, &span, 1};
    struct store_event event = {0, (uint64_t)k, body, random_below(4) ? 100 : sizeof body};
    memset(body, 'a' + k % 26, sizeof body);
    struct store_lane lane = {.from = k - 1, .next = k, .seq = (uint64_t)k};
    struct store_batch b = {.rows = rows,
                            .row_count = ROWS,
                            .coverage = &coverage,
                            .coverage_count = 1,
                            .events = &event,
                            .event_count = 1,
                            .lanes = &lane,
                            .lane_count = 1};
    apply(f, &b);
}

static uint64_t print_of(struct fixture *f)
{
    struct buf text = {0};
    uint64_t h = 14695981039346656037u;
    dump(f->reader, &text);
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.data[i]) * 1099511628211u;
    buf_free(&text);
    return h;
}

/* The store that comes back holds batch `told` at least, and is as the live one was. */
static void check_after_cut(int told, int newest, const uint64_t *prints)
{
    struct fixture f = {.settings = {.source = SOURCE_SIMULATED, .keep_events = 3}};
    struct store_meta m;
    snprintf(f.dir, sizeof f.dir, "%s", cut_dir);
    snprintf(f.url, sizeof f.url, "sqlite:%s/stofka.db", cut_dir);
    f.settings.url = f.url;
    fixture_open(&f);
    assert_int_equal(store_meta(f.reader, &m), OK);
    assert_in_range(m.lanes[0].seq, told, newest);
    assert_true(print_of(&f) == prints[m.lanes[0].seq]);
    fixture_remove(&f);
}

static void what_was_reported_survives_a_power_cut(void **state)
{
    (void)state;
    struct fixture f, image;
    uint64_t prints[BATCHES * 2 + 1] = {0};
    int cuts = 0, told = 0;
    fixture_make(&f, "sqlite:");
    f.settings.keep_events = 3;
    fault_observe(&observer);
    cut = true; /* none while the file is made */
    fixture_open(&f);
    prints[0] = print_of(&f);
    while (told < BATCHES || cuts < CUTS_MIN) {
        assert_true(told < BATCHES * 2);
        fixture_make(&image, "sqlite:");
        memcpy(cut_dir, image.dir, sizeof cut_dir);
        until_cut = 1 + (int)random_below(random_below(3) ? 40 : 3000);
        cut = false;
        put_batch(&f, told + 1);
        bool was_cut = cut;
        cut = true;
        prints[told + 1] = print_of(&f);
        fault_observe(NULL);
        if (was_cut) {
            check_after_cut(told, told + 1, prints);
            cuts++;
        } else {
            fixture_remove(&image);
        }
        fault_observe(&observer);
        told++;
    }
    print_message("%d power cuts in %d batches\n", cuts, told);
    fault_observe(NULL);
    fixture_remove(&f);
    for (int i = 0; i < FILES; i++) {
        drop_pending(&disk[i]);
        buf_free(&disk[i].synced);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_reported_survives_a_power_cut),
    };
    log_set_level(LOG_WARN);
    fault_vfs_install();
    return cmocka_run_group_tests_name("store_power", tests, NULL, NULL);
}
