/* SPDX-License-Identifier: Apache-2.0 */
#include "app/changes.h"

#include <string.h>

void changes_start(struct changes *c, uint64_t stamp)
{
    c->first = c->count = 0;
    c->floor = stamp;
}

void changes_add(struct changes *c, const char *code, enum interval i, int64_t start_ms,
                 uint64_t stamp)
{
    if (c->count == CHANGES_MAX) {
        c->floor = c->ring[c->first].stamp;
        c->first = (c->first + 1) % CHANGES_MAX;
        c->count--;
    }
    struct change *x = &c->ring[(c->first + c->count++) % CHANGES_MAX];
    x->interval = i;
    x->start_ms = start_ms;
    x->stamp = stamp;
    memcpy(x->code, code, strlen(code) + 1);
}

bool changes_hit(const struct changes *c, const char *code, enum interval i, int64_t from_ms,
                 int64_t to_ms, uint64_t after, uint64_t upto)
{
    if (after < c->floor)
        return true;
    for (size_t k = c->count; k-- > 0;) {
        const struct change *x = &c->ring[(c->first + k) % CHANGES_MAX];
        if (x->stamp <= after)
            return false; /* they ascend */
        if (x->stamp <= upto && x->interval == i && x->start_ms >= from_ms && x->start_ms < to_ms &&
            strcmp(x->code, code) == 0)
            return true;
    }
    return false;
}
