/* SPDX-License-Identifier: Apache-2.0 */
/* store/postgres: the follower's thread: wait, read one snapshot, give it. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "store/follow.h"
#include "store/postgres_impl.h"

enum { POLL_MS = 1000, RETRY_MS = 100 };

enum { LANES, EVENTS, OUTBOX, CHANGES, READ_COUNT };

static const char setup[] =
    "SET timezone = 'UTC'; SET client_min_messages = 'warning'; SET bytea_output = 'hex';"
    " SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; LISTEN "
    "stofka";

static const struct pg_statement reads[READ_COUNT] = {
    [LANES] = {"SELECT partition, next, seq, rolled_seq, watermark_ms,"
               " (SELECT seq FROM event AS e WHERE e.partition = p.partition ORDER BY seq LIMIT 1)"
               " FROM bus_position AS p ORDER BY partition",
               0},
    [EVENTS] =
        {"SELECT t.partition, e.seq, e.body FROM unnest($1::integer[], $2::bigint[])"
         " AS t (partition, told), LATERAL (SELECT seq, body FROM event WHERE"
         " event.partition = t.partition AND seq > t.told ORDER BY seq LIMIT $3::bigint) AS e"
         " ORDER BY 1, 2",
         3},
    [OUTBOX] = {"SELECT number, code, array_position(enum_range(NULL::candle_interval), level) - "
                "1, " PG_CANDLE_COLUMNS
                ", (SELECT min(number) FROM outbox) FROM outbox WHERE number >"
                " $1::bigint ORDER BY number LIMIT $2::bigint",
                2},
    [CHANGES] =
        {"SELECT number, code, array_position(enum_range(NULL::candle_interval), level) - 1,"
         " ms_of(from_time), ms_of(to_time), (SELECT min(number) FROM change) FROM change"
         " WHERE number > $1::bigint ORDER BY number LIMIT $2::bigint",
         2},
};

static struct metric reads_total =
    METRIC_COUNTER("stofka_store_follow_reads_total", "Times that the follower read.", "");
static struct metric failed_total = METRIC_COUNTER(
    "stofka_store_follow_failed_total", "Times that the follower could not connect or read.", "");
static struct metric connected =
    METRIC_GAUGE("stofka_store_follow_connected", "The follower hears of commits.", "");

void store_follow_metrics_register(void)
{
    metric_register(&reads_total);
    metric_register(&failed_total);
    metric_register(&connected);
}

struct store_follow {
    struct pg_conn conn;
    struct store_follow_settings s; /* told, outbox: as given */
    pthread_t thread;
    int stop_fd;
    atomic_bool is_connected;
    bool more;                                      /* what was read was cut at a limit */
    struct store_lane_meta before[STORE_LANES_MAX]; /* as given last */
    struct store_news news;
    struct store_event *events;
    struct store_outbox *outbox;
    struct store_change *changes;
    int64_t change_next; /* number after the newest given; 0: none yet */
    int64_t change_last; /* newest number read */
    unsigned char **unescaped;
    size_t unescaped_count;
};

static void clear(struct store_follow *f)
{
    for (size_t i = 0; i < f->unescaped_count; i++)
        PQfreemem(f->unescaped[i]);
    free(f->unescaped);
    free(f->events);
    free(f->outbox);
    free(f->changes);
    f->changes = NULL;
    f->unescaped = NULL;
    f->unescaped_count = 0;
    f->events = NULL;
    f->outbox = NULL;
    f->news = (struct store_news){0};
    f->more = false;
}

static enum err read_lanes(struct store_follow *f)
{
    PGresult *r;
    enum err e = pg_run(&f->conn, &(struct pg_call){reads, LANES, "follow"}, NULL, &r, NULL);
    for (int row = 0; !e && row < PQntuples(r); row++) {
        int64_t p = pg_int(r, row, 0);
        if (p < 0 || p >= STORE_LANES_MAX)
            continue;
        struct store_news_lane *lane = &f->news.lanes[p];
        lane->at = (struct store_lane_meta){pg_int(r, row, 1), (uint64_t)pg_int(r, row, 2),
                                            (uint64_t)pg_int(r, row, 3), pg_int(r, row, 4)};
        uint64_t oldest = PQgetisnull(r, row, 5) ? 0 : (uint64_t)pg_int(r, row, 5);
        /* A lane's first event has number 1: while that is there, none was ever dropped. */
        lane->cut = oldest > 1 && f->s.told[p] < oldest;
        f->news.lane_count = (int32_t)p + 1;
    }
    if (!e)
        PQclear(r);
    return e;
}

static void add_event(struct store_follow *f, const PGresult *r, int row)
{
    size_t len = 0;
    unsigned char *body = PQunescapeBytea((const unsigned char *)PQgetvalue(r, row, 2), &len);
    f->unescaped[f->unescaped_count++] = body;
    f->events[row] = (struct store_event){(int32_t)pg_int(r, row, 0), (uint64_t)pg_int(r, row, 1),
                                          (const char *)body, len};
}

/* A lane cut at the limit is complete only up to its last event. */
static void mark_cut_lanes(struct store_follow *f, size_t count)
{
    for (size_t i = 0, first = 0; i < count; i++) {
        bool last = i + 1 == count || f->events[i + 1].partition != f->events[i].partition;
        if (!last)
            continue;
        if (i + 1 - first >= STORE_FOLLOW_EVENTS) {
            f->news.lanes[f->events[i].partition].at.seq = f->events[i].seq;
            f->more = true;
        }
        first = i + 1;
    }
}

static enum err read_events(struct store_follow *f)
{
    struct pg_params p = {0};
    pg_params_begin(&p, 3);
    for (int32_t k = 0; k < f->news.lane_count; k++) {
        pg_add_int(&p, 0, k);
        pg_add_int(&p, 1, (int64_t)f->s.told[k]);
    }
    pg_params_end(&p);
    buf_clear(&p.texts[2]);
    buf_i64(&p.texts[2], STORE_FOLLOW_EVENTS);
    const char *values[] = {p.texts[0].data, p.texts[1].data, p.texts[2].data};
    PGresult *r;
    enum err e = pg_run(&f->conn, &(struct pg_call){reads, EVENTS, "follow"}, values, &r, NULL);
    pg_params_free(&p);
    if (e)
        return e;
    size_t count = (size_t)PQntuples(r);
    f->events = mem_array(NULL, count + 1, sizeof *f->events);
    f->unescaped = mem_array(NULL, count + 1, sizeof *f->unescaped);
    for (size_t i = 0; i < count; i++)
        add_event(f, r, (int)i);
    f->news.events = f->events;
    f->news.event_count = count;
    mark_cut_lanes(f, count);
    PQclear(r);
    return OK;
}

static enum err read_outbox(struct store_follow *f)
{
    char after[24], most[24];
    snprintf(after, sizeof after, "%lld", (long long)f->s.outbox);
    snprintf(most, sizeof most, "%d", (int)STORE_FOLLOW_EVENTS);
    const char *values[] = {after, most};
    PGresult *r;
    enum err e = pg_run(&f->conn, &(struct pg_call){reads, OUTBOX, "follow"}, values, &r, NULL);
    if (e)
        return e;
    int count = PQntuples(r);
    f->outbox = mem_array(NULL, (size_t)count + 1, sizeof *f->outbox);
    for (int row = 0; !e && row < count; row++) {
        struct store_outbox *o = &f->outbox[row];
        *o = (struct store_outbox){.number = (uint64_t)pg_int(r, row, 0)};
        o->row.interval = (enum interval)pg_int(r, row, 2);
        o->row.told = true;
        snprintf(o->row.code, sizeof o->row.code, "%s", PQgetvalue(r, row, 1));
        e = postgres_candle(r, row, 3, &o->row.candle) ? OK : ERR_SCHEMA;
    }
    /* Numbers are left out only where a batch failed: then this says too much, not too little. */
    if (count && f->s.outbox && (uint64_t)pg_int(r, 0, PQnfields(r) - 1) > f->s.outbox + 1)
        f->news.outbox_cut = true;
    PQclear(r);
    f->news.outbox = f->outbox;
    f->news.outbox_count = (size_t)count;
    f->more = f->more || count == STORE_FOLLOW_EVENTS;
    return e;
}

static void add_change(struct store_follow *f, const PGresult *r, int row)
{
    struct store_change *c = &f->changes[row];
    *c = (struct store_change){.interval = (enum interval)pg_int(r, row, 2),
                               .from_ms = pg_int(r, row, 3),
                               .to_ms = pg_int(r, row, 4)};
    snprintf(c->code, sizeof c->code, "%s", PQgetvalue(r, row, 1));
    f->change_last = pg_int(r, row, 0);
    /* Numbers are left out only where a roll-up failed: then this says too much, not too little. */
    if (row == 0 && f->change_next && pg_int(r, row, 5) > f->change_next)
        f->news.changes_cut = true;
}

static enum err read_changes(struct store_follow *f)
{
    char after[24], most[24];
    snprintf(after, sizeof after, "%lld", (long long)f->change_next - 1);
    snprintf(most, sizeof most, "%d", (int)STORE_FOLLOW_EVENTS);
    const char *values[] = {after, most};
    PGresult *r;
    enum err e = pg_run(&f->conn, &(struct pg_call){reads, CHANGES, "follow"}, values, &r, NULL);
    if (e)
        return e;
    int count = PQntuples(r);
    f->changes = mem_array(NULL, (size_t)count + 1, sizeof *f->changes);
    for (int row = 0; row < count; row++)
        add_change(f, r, row);
    PQclear(r);
    f->news.changes = f->changes;
    f->news.change_count = (size_t)count;
    f->more = f->more || count == STORE_FOLLOW_EVENTS;
    return OK;
}

static enum err read_snapshot(struct store_follow *f)
{
    static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    enum err e = pg_exec(&f->conn, begin, "follow", NULL);
    if (!e)
        e = read_lanes(f);
    if (!e)
        e = read_events(f);
    if (!e)
        e = read_outbox(f);
    if (!e)
        e = read_changes(f);
    if (!e)
        return pg_exec(&f->conn, "COMMIT", "follow", NULL);
    pg_close(&f->conn); /* whatever state it is in */
    return e;
}

/* Nothing is called for when no event, told candle or position is new. */
static void give(struct store_follow *f)
{
    const struct store_news *n = &f->news;
    bool same = n->event_count + n->outbox_count + n->change_count == 0;
    for (int32_t p = 0; p < n->lane_count; p++)
        same = same && memcmp(&n->lanes[p].at, &f->before[p], sizeof f->before[p]) == 0;
    if (same)
        return;
    f->s.news(f->s.ctx, n);
    for (int32_t p = 0; p < n->lane_count; p++) {
        f->before[p] = n->lanes[p].at;
        if (n->lanes[p].at.seq > f->s.told[p])
            f->s.told[p] = n->lanes[p].at.seq;
    }
    if (n->outbox_count)
        f->s.outbox = n->outbox[n->outbox_count - 1].number;
    if (n->change_count)
        f->change_next = f->change_last + 1;
}

/* true: to be stopped. */
static bool wait(struct store_follow *f, int link_fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = f->stop_fd, .events = POLLIN}, {.fd = link_fd, .events = POLLIN}};
    if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
        log_warn("store.follow_poll", "error=\"%s\"", strerror(errno));
    return fds[0].revents != 0;
}

static void drop_notifications(PGconn *link)
{
    PQconsumeInput(link);
    for (PGnotify *n; (n = PQnotifies(link));)
        PQfreemem(n);
}

/* One line when the database goes, one when it is back, however often it is tried. */
static void tell_connected(struct store_follow *f, enum err e, const struct buf *error)
{
    bool was = atomic_exchange(&f->is_connected, e == OK);
    metric_set(&connected, e == OK);
    metric_add(e ? &failed_total : &reads_total, 1);
    char quoted[512];
    const char *text = error->len ? error->data : err_text(e);
    if (was && e)
        log_warn("store.follow_lost", "text=%s",
                 log_quote(quoted, sizeof quoted, text, strlen(text)));
    else if (!was && !e)
        log_info("store.following", "");
}

static void *work(void *ctx)
{
    struct store_follow *f = ctx;
    bool stop = false;
    while (!stop) {
        struct buf error = {0};
        enum err e = pg_ready(&f->conn, &error);
        if (!e) {
            drop_notifications(f->conn.link); /* what they announce is read now */
            e = read_snapshot(f);
        }
        tell_connected(f, e, &error);
        buf_free(&error);
        if (!e)
            give(f);
        bool more = f->more;
        clear(f);
        int fd = f->conn.link ? PQsocket(f->conn.link) : -1;
        stop = wait(f, fd, more ? 0 : e ? RETRY_MS : POLL_MS);
    }
    return NULL;
}

enum err store_follow_open(struct store *s, const struct store_follow_settings *settings,
                           struct store_follow **out, struct buf *error)
{
    if (strcmp(s->ops->scheme, "postgres") != 0) {
        buf_printf(error, "store: %s cannot be followed, only postgres can", s->ops->scheme);
        return ERR_CONFIG;
    }
    struct store_follow *f = mem_zalloc(sizeof *f);
    f->s = *settings;
    f->conn = (struct pg_conn){.conninfo = ((struct postgres_store *)s)->conninfo, .setup = setup};
    f->stop_fd = eventfd(0, EFD_CLOEXEC);
    REQUIRE(f->stop_fd >= 0);
    REQUIRE(pthread_create(&f->thread, NULL, work, f) == 0);
    *out = f;
    return OK;
}

bool store_follow_connected(const struct store_follow *f)
{
    return atomic_load(&f->is_connected);
}

void store_follow_free(struct store_follow **f)
{
    if (*f == NULL)
        return;
    uint64_t one = 1;
    REQUIRE(write((*f)->stop_fd, &one, sizeof one) == sizeof one);
    pthread_join((*f)->thread, NULL);
    pg_close(&(*f)->conn);
    close((*f)->stop_fd);
    free(*f);
    *f = NULL;
}
