/* SPDX-License-Identifier: Apache-2.0 */
/* store/postgres: one connection: made again when it broke, its errors by SQLSTATE. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres_impl.h"

enum { BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 1000 };

static const struct {
    const char *prefix; /* of an SQLSTATE; the first that fits counts */
    enum err err;
} classes[] = {
    {"08", ERR_IO},       /* connection */
    {"23514", ERR_AGAIN}, /* a day without its partition: retention took it, it is made again */
    {"23505", ERR_AGAIN}, /* another process made the same row first */
    {"25006", ERR_READONLY}, {"26", ERR_AGAIN}, /* a pooler gave us a server that knows no statement
                                                   of ours */
    {"28", ERR_CONFIG},                         /* not let in */
    {"3D", ERR_CONFIG},                         /* no such database */
    {"40", ERR_AGAIN},                          /* serialization, deadlock */
    {"42501", ERR_CONFIG},                      /* not allowed */
    {"53100", ERR_FULL},     {"53", ERR_AGAIN},  {"54", ERR_AGAIN},
    {"55P03", ERR_AGAIN},                    /* lock timeout */
    {"55", ERR_AGAIN},       {"57", ERR_IO}, /* timeout, shutdown */
    {"58", ERR_IO},          {"0A", ERR_SCHEMA}, {"22", ERR_SCHEMA},
    {"23", ERR_SCHEMA},      {"42", ERR_SCHEMA}, {"XX", ERR_SCHEMA}, /* damaged */
};

static enum err err_of_state(const char *state)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strncmp(state, classes[i].prefix, strlen(classes[i].prefix)) == 0)
            return classes[i].err;
    return ERR_IO;
}

/* One line, without what follows the first. */
static void say(const char *what, const char *words, const char *state, struct buf *error)
{
    size_t len = strcspn(words, "\n");
    struct buf line = {0};
    buf_printf(&line, "store: cannot %s: %.*s%s%s%s", what, (int)len, words,
               state ? " (SQLSTATE " : "", state ? state : "", state ? ")" : "");
    if (error) {
        buf_add(error, line.data, line.len);
    } else {
        char quoted[512];
        log_warn("store.postgres_failed", "text=%s",
                 log_quote(quoted, sizeof quoted, line.data, line.len));
    }
    buf_free(&line);
}

void pg_close(struct pg_conn *c)
{
    PQfinish(c->link);
    c->link = NULL;
    memset(c->prepared, 0, sizeof c->prepared);
}

static bool is_late(const struct pg_conn *c)
{
    return c->patience_ms && clock_mono_ms() >= c->until_ms;
}

enum err pg_fail(struct pg_conn *c, PGresult *r, const char *what, struct buf *error)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *words = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    enum err e = state ? err_of_state(state) : ERR_IO;
    const char *late = is_late(c) ? "no answer in time" : PQerrorMessage(c->link);
    say(what, words ? words : late, state, error);
    PQclear(r);
    if (PQstatus(c->link) != CONNECTION_OK || e == ERR_IO)
        pg_close(c);
    return e;
}

/* Waits for the socket, as long as the time lasts. */
static void wait_for(const struct pg_conn *c, short events)
{
    struct pollfd fd = {.fd = PQsocket(c->link), .events = events};
    int64_t left = c->until_ms - clock_mono_ms();
    (void)poll(&fd, 1, left > 0 ? (int)left : 0);
}

/* The last result of what was sent, or the first that failed. NULL: the link failed, or the time is
 * over. */
static PGresult *answer(struct pg_conn *c, int sent)
{
    PGresult *last = NULL;
    while (sent) {
        while (c->patience_ms && PQisBusy(c->link) && !is_late(c)) {
            wait_for(c, POLLIN);
            if (!PQconsumeInput(c->link))
                break;
        }
        if (c->patience_ms && PQisBusy(c->link))
            break;
        PGresult *r = PQgetResult(c->link);
        if (!r)
            return last;
        ExecStatusType status = PQresultStatus(last);
        bool failed = last && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
        PQclear(failed ? r : last);
        last = failed ? last : r;
    }
    PQclear(last);
    return NULL;
}

/* Its steps, none of which waits but here. */
static PGconn *connect_in_time(struct pg_conn *c, const char *const *names,
                               const char *const *values)
{
    c->link = PQconnectStartParams(names, values, 1);
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;
    while (PQstatus(c->link) != CONNECTION_BAD && step != PGRES_POLLING_OK &&
           step != PGRES_POLLING_FAILED && !is_late(c)) {
        wait_for(c, step == PGRES_POLLING_READING ? POLLIN : POLLOUT);
        step = PQconnectPoll(c->link);
    }
    return c->link;
}

static PGconn *connect_to(struct pg_conn *c)
{
    /* What the text says comes last, and wins. */
    static const char *const names[] = {"fallback_application_name",
                                        "connect_timeout",
                                        "keepalives_idle",
                                        "tcp_user_timeout",
                                        "client_encoding",
                                        "dbname",
                                        NULL};
    const char *values[] = {"stofka", "5", "10", "15000", "UTF8", c->conninfo, NULL};
    return c->patience_ms ? connect_in_time(c, names, values) : PQconnectdbParams(names, values, 1);
}

/* A link that ended while nobody used it tells so when it is looked at: its words of farewell
 * first, then its end. Does not block. */
static bool is_alive(PGconn *link)
{
    return PQstatus(link) == CONNECTION_OK && PQconsumeInput(link) && PQconsumeInput(link) &&
           PQstatus(link) == CONNECTION_OK;
}

enum err pg_ready(struct pg_conn *c, struct buf *error)
{
    c->until_ms = clock_mono_ms() + c->patience_ms;
    if (c->link && is_alive(c->link))
        return OK;
    pg_close(c);
    if (c->held || clock_mono_ms() < c->retry_ms) {
        if (error)
            buf_str(error, "store: no connection to PostgreSQL yet, trying again");
        return ERR_IO;
    }
    c->link = connect_to(c);
    bool linked = PQstatus(c->link) == CONNECTION_OK;
    PGresult *r = linked ? answer(c, PQsendQuery(c->link, c->setup)) : NULL;
    if (PQresultStatus(r) == PGRES_COMMAND_OK) {
        PQclear(r);
        c->backoff_ms = 0;
        c->made++;
        return OK;
    }
    c->backoff_ms = c->backoff_ms ? c->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (c->backoff_ms > BACKOFF_MAX_MS)
        c->backoff_ms = BACKOFF_MAX_MS;
    c->retry_ms = clock_mono_ms() + c->backoff_ms;
    enum err e = pg_fail(c, r, "connect to PostgreSQL", error);
    pg_close(c);
    return e;
}

enum err pg_exec(struct pg_conn *c, const char *sql, const char *what, struct buf *error)
{
    PGresult *r = answer(c, PQsendQuery(c->link, sql));
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return pg_fail(c, r, what, error);
    PQclear(r);
    return OK;
}

static enum err prepare(struct pg_conn *c, const struct pg_statement *table, int n,
                        const char *name, const char *what, struct buf *error)
{
    if (c->prepared[n])
        return OK;
    PGresult *r = answer(c, PQsendPrepare(c->link, name, table[n].sql, 0, NULL));
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return pg_fail(c, r, what, error);
    PQclear(r);
    c->prepared[n] = true;
    return OK;
}

enum err pg_run(struct pg_conn *c, const struct pg_call *call, const char *const *values,
                PGresult **out, struct buf *error)
{
    char name[24];
    snprintf(name, sizeof name, "stofka_%d", call->n);
    enum err e = prepare(c, call->table, call->n, name, call->what, error);
    if (e)
        return e;
    int count = call->table[call->n].params;
    PGresult *r = answer(c, PQsendQueryPrepared(c->link, name, count, values, NULL, NULL, 0));
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return pg_fail(c, r, call->what, error);
    *out = r;
    return OK;
}

enum err pg_params_run(struct pg_conn *c, const struct pg_call *call, const struct pg_params *p,
                       struct buf *error)
{
    const char *values[PG_PARAMS_MAX];
    for (int i = 0; i < p->count; i++)
        values[i] = p->texts[i].data;
    REQUIRE(p->count == call->table[call->n].params);
    PGresult *r = NULL;
    enum err e = pg_run(c, call, values, &r, error);
    if (!e)
        PQclear(r);
    return e;
}

int64_t pg_int(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}
