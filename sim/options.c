/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "stofka-sim - an exchange that speaks Upbit's WebSocket and REST, seeded, with faults on "
    "demand\n"
    "\n"
    "Address\n"
    "  --host ADDR            listen address (127.0.0.1)\n"
    "  --port N               port of http:// and ws:// (0: any free one, see sim.listening)\n"
    "  --tls-port N           also https:// and wss://, with --cert FILE --key FILE (PEM)\n"
    "\n"
    "Market\n"
    "  --seed N               same seed, markets, rate, history and start: same trades (1)\n"
    "  --start TIME           exchange time at start, as 2027-01-31T23:56:00Z (now)\n"
    "  --history DAYS         trades reach back to 00:00 UTC this many days before (40)\n"
    "  --rate R               trades a second in all (30)\n"
    "  --every-second         every market trades at least once each second\n"
    "  --codes-count N        the first N markets of the list; made-up ones beyond its 40\n"
    "  --markets FILE         markets from a market/all reply instead of the own list\n"
    "  --speed X              exchange seconds in a real one (1)\n"
    "\n"
    "Replay\n"
    "  --replay FILE          a cryptofeed capture, plain or gzip, instead of made trades\n"
    "  --shuffle-ms N         each of its trades is up to N ms late, in seeded random order (0)\n"
    "  --no-wait              the clock runs from the start, not from the first subscription\n"
    "\n"
    "Truth\n"
    "  --trades FILE          CSV of every trade stored, history first\n"
    "  --frames FILE          CSV of the candle.1s versions sent\n"
    "\n"
    "Faults: drop stall duplicate reorder late resend garbage oversize 429 418 500 restlag\n"
    "        clockstep refuse\n"
    "  --fault KIND@SECOND[:ARG]  once, that long after start; ARG is its duration in seconds,\n"
    "                         the step of clockstep (may be negative), megabytes of oversize\n"
    "  --fault-mix LIST|all   seeded random faults of these kinds ...\n"
    "  --fault-every SECONDS  ... this far apart on average (15)\n"
    "  --late-ms N            how late trades are at most under the fault late (3000)\n"
    "\n"
    "Ways of the exchange\n"
    "  --amount-scale 8|16|auto  decimals of candle amounts over WebSocket (8); auto: by seed\n"
    "  --numbers fixed|plain|exponent  spelling of WebSocket decimals (fixed)\n"
    "  --idle SECONDS         silent connections are dropped after this (60)\n"
    "  --rest-limit N         requests a second for each group (10; 0: none)\n"
    "  --connect-limit N      WebSocket connects a second (5; 0: none)\n"
    "  --no-deflate           permessage-deflate is declined even where offered\n"
    "  --rest-lag MS          REST answers are up to this old, at random (0)\n"
    "\n"
    "  --help                 this text\n"
    "\n"
    "Control, on the same port: GET /_sim/state; POST /_sim/fault?kind=K&for=S,\n"
    "/_sim/faults?mix=LIST|all|off[&every=S], /_sim/trading?on=0|1, /_sim/list?market=KRW-NEW,\n"
    "/_sim/delist?market=KRW-BTC. Each answers with the state.\n";

enum option_id {
    OPT_HOST = 256,
    OPT_PORT,
    OPT_TLS_PORT,
    OPT_CERT,
    OPT_KEY,
    OPT_SEED,
    OPT_START,
    OPT_HISTORY,
    OPT_RATE,
    OPT_EVERY,
    OPT_CODES,
    OPT_MARKETS,
    OPT_SPEED,
    OPT_REPLAY,
    OPT_SHUFFLE,
    OPT_NO_WAIT,
    OPT_TRADES,
    OPT_FRAMES,
    OPT_FAULT,
    OPT_MIX,
    OPT_FAULT_EVERY,
    OPT_SCALE,
    OPT_NUMBERS,
    OPT_IDLE,
    OPT_REST_LIMIT,
    OPT_CONNECT_LIMIT,
    OPT_REST_LAG,
    OPT_NO_DEFLATE,
    OPT_LATE,
    OPT_HELP
};

static const struct option table[] = {
    {"host", 1, NULL, OPT_HOST},
    {"port", 1, NULL, OPT_PORT},
    {"tls-port", 1, NULL, OPT_TLS_PORT},
    {"cert", 1, NULL, OPT_CERT},
    {"key", 1, NULL, OPT_KEY},
    {"seed", 1, NULL, OPT_SEED},
    {"start", 1, NULL, OPT_START},
    {"history", 1, NULL, OPT_HISTORY},
    {"rate", 1, NULL, OPT_RATE},
    {"every-second", 0, NULL, OPT_EVERY},
    {"codes-count", 1, NULL, OPT_CODES},
    {"markets", 1, NULL, OPT_MARKETS},
    {"speed", 1, NULL, OPT_SPEED},
    {"replay", 1, NULL, OPT_REPLAY},
    {"shuffle-ms", 1, NULL, OPT_SHUFFLE},
    {"no-wait", 0, NULL, OPT_NO_WAIT},
    {"trades", 1, NULL, OPT_TRADES},
    {"frames", 1, NULL, OPT_FRAMES},
    {"fault", 1, NULL, OPT_FAULT},
    {"fault-mix", 1, NULL, OPT_MIX},
    {"fault-every", 1, NULL, OPT_FAULT_EVERY},
    {"amount-scale", 1, NULL, OPT_SCALE},
    {"numbers", 1, NULL, OPT_NUMBERS},
    {"idle", 1, NULL, OPT_IDLE},
    {"rest-limit", 1, NULL, OPT_REST_LIMIT},
    {"connect-limit", 1, NULL, OPT_CONNECT_LIMIT},
    {"rest-lag", 1, NULL, OPT_REST_LAG},
    {"no-deflate", 0, NULL, OPT_NO_DEFLATE},
    {"late-ms", 1, NULL, OPT_LATE},
    {"help", 0, NULL, OPT_HELP},
    {0},
};

static bool number(const char *text, int64_t least, int64_t most, int *out)
{
    int64_t v = 0;
    if (!parse_int(text, &v) || v < least || v > most)
        return false;
    *out = (int)v;
    return true;
}

static bool word(const char *text, const char *const *words, int n, int *out)
{
    for (*out = 0; *out < n; ++*out)
        if (!strcmp(text, words[*out]))
            return true;
    return false;
}

static bool take_market(struct options *o, int id, const char *v)
{
    struct world_options *w = &o->world;
    int64_t seed = 0;
    switch (id) {
    case OPT_SEED:
        w->seed = parse_int(v, &seed) ? (uint64_t)seed : 0;
        return parse_int(v, &seed);
    case OPT_START:
        return parse_time(v, &w->start_ms);
    case OPT_HISTORY:
        return number(v, 0, 3650, &w->history_days);
    case OPT_RATE:
        return parse_real(v, 0, 1e6, &w->rate);
    case OPT_EVERY:
        return w->every_second = true;
    case OPT_CODES:
        return number(v, 1, MAX_MARKETS, &w->codes_count);
    case OPT_MARKETS:
        w->markets_path = v;
        return true;
    case OPT_SPEED:
        return parse_real(v, 0.01, 1000, &w->speed);
    case OPT_TRADES:
        w->trades_path = v;
        return true;
    case OPT_FRAMES:
        w->frames_path = v;
        return true;
    default:
        return false;
    }
}

static bool take_way(struct options *o, struct faults *f, int id, const char *v)
{
    static const char *const scales[] = {"8", "16", "auto"};
    static const char *const numbers[] = {"fixed", "plain", "exponent"};
    int n = 0;
    switch (id) {
    case OPT_FAULT:
        return fault_add_plan(f, v);
    case OPT_MIX:
        return fault_set_mix(f, v);
    case OPT_FAULT_EVERY:
        return parse_real(v, 0.1, 1e6, &f->every);
    case OPT_LATE:
        if (!number(v, 61, 60000, &n))
            return false;
        f->late_ms = n - 60; /* the ordinary lag comes first */
        return true;
    case OPT_SCALE:
        if (!word(v, scales, 3, &n))
            return false;
        o->form.amount_scale = n == 2 ? 0 : n == 1 ? 16 : 8;
        return true;
    case OPT_NUMBERS:
        if (!word(v, numbers, 3, &n))
            return false;
        o->form.spelling = (enum spelling)n;
        return true;
    case OPT_IDLE:
        return number(v, 1, 86400, &o->idle_seconds);
    case OPT_REST_LIMIT:
        return number(v, 0, 1000000, &o->rest_limit);
    case OPT_CONNECT_LIMIT:
        return number(v, 0, 1000000, &o->connect_limit);
    case OPT_REST_LAG:
        return number(v, 0, 60000, &o->rest_lag_ms);
    default:
        return take_market(o, id, v);
    }
}

static bool take_address(struct options *o, struct faults *f, int id, const char *v)
{
    switch (id) {
    case OPT_HOST:
        o->host = v;
        return true;
    case OPT_PORT:
        return number(v, 0, 65535, &o->port);
    case OPT_TLS_PORT:
        return number(v, 0, 65535, &o->tls_port);
    case OPT_CERT:
        o->cert = v;
        return true;
    case OPT_KEY:
        o->key = v;
        return true;
    case OPT_REPLAY:
        o->replay_path = v;
        return true;
    case OPT_SHUFFLE:
        return number(v, 0, 60000, &o->shuffle_ms);
    case OPT_NO_DEFLATE:
        return o->no_deflate = true;
    case OPT_NO_WAIT:
        return o->no_wait = true;
    default:
        return take_way(o, f, id, v);
    }
}

/* The bad value, and what the help says of this option. */
static int complain_value(const char *name, const char *value)
{
    char start[32];
    fprintf(stderr, "stofka-sim: --%s: bad value \"%s\"\n", name, value);
    snprintf(start, sizeof start, "\n  --%s ", name);
    const char *line = strstr(help, start);
    while (line) {
        int len = (int)strcspn(line + 1, "\n");
        fprintf(stderr, "%.*s\n", len, line + 1);
        line = line[len + 1] && !strncmp(line + len + 1, "\n         ", 10) ? line + len + 1 : NULL;
    }
    return 2;
}

static int complain(const char *what)
{
    fprintf(stderr, "stofka-sim: %s (see --help)\n", what);
    return 2;
}

int options_read(int argc, char **argv, struct options *o, struct faults *f)
{
    int id = 0, at = 0;
    *o = (struct options){.host = "127.0.0.1",
                          .tls_port = -1,
                          .rest_limit = 10,
                          .connect_limit = 5,
                          .idle_seconds = 60,
                          .form = {.amount_scale = 8}};
    o->world = (struct world_options){.seed = 1, .rate = 30, .speed = 1, .history_days = 40};
    f->every = 15;
    f->late_ms = 3000 - 60;
    while ((id = getopt_long(argc, argv, "", table, &at)) != -1) {
        if (id == OPT_HELP) {
            fputs(help, stdout);
            return 0;
        }
        if (id == '?')
            return complain("unknown option or missing value");
        if (!take_address(o, f, id, optarg))
            return complain_value(table[at].name, optarg);
    }
    if (optind < argc)
        return complain("options only, no words");
    if (o->tls_port >= 0 && (!o->cert || !o->key))
        return complain("--tls-port needs --cert and --key");
    if (!o->form.amount_scale)
        o->form.amount_scale = o->world.seed % 2 ? 8 : 16;
    return -1;
}
