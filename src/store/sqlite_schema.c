/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite: the numbered migrations. Number n takes a file of PRAGMA user_version n - 1 to n,
 * in one transaction. One that was ever released is never edited; a change is a new number.
 */
#include "store/sqlite_impl.h"

#define TEXT_OF_UNITS(column) "printf('%d.%08d', " column " / 100000000, " column " % 100000000)"

static const char schema_1[] =
    "CREATE TABLE meta ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  source TEXT NOT NULL,"           /* live and simulated never mix */
    "  epoch TEXT NOT NULL,"            /* names this file's stream of positions */
    "  seq INTEGER NOT NULL DEFAULT 0," /* newest event the rows hold */
    "  watermark_ms INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"

    "CREATE TABLE position ("
    "  partition INTEGER PRIMARY KEY,"
    "  next INTEGER NOT NULL" /* offset to be read next */
    ") STRICT;"

    "CREATE TABLE market ("
    "  id INTEGER PRIMARY KEY,"
    "  code TEXT NOT NULL UNIQUE,"
    "  korean_name TEXT NOT NULL DEFAULT '',"
    "  english_name TEXT NOT NULL DEFAULT '',"
    "  listed INTEGER NOT NULL DEFAULT 0,"
    "  beginning_ms INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"

    "CREATE TABLE interval (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "INSERT INTO interval (id, name) VALUES (0, '1s'), (1, '1m'), (2, '3m'), (3, '5m'),"
    "  (4, '10m'), (5, '15m'), (6, '30m'), (7, '1h'), (8, '4h'), (9, '1d'), (10, '1w'),"
    "  (11, '1mo');"

    /* Prices in units of 1e-8; volume and amount do not fit 64 bits, so they are decimal text. */
    "CREATE TABLE candle ("
    "  market_id INTEGER NOT NULL,"
    "  interval INTEGER NOT NULL,"
    "  start_ms INTEGER NOT NULL,"
    "  open INTEGER NOT NULL,"
    "  high INTEGER NOT NULL,"
    "  low INTEGER NOT NULL,"
    "  close INTEGER NOT NULL,"
    "  volume TEXT NOT NULL,"
    "  amount TEXT NOT NULL,"
    "  timestamp_ms INTEGER NOT NULL,"
    "  repair INTEGER NOT NULL,"
    "  rev INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  source INTEGER NOT NULL,"
    "  tombstone INTEGER NOT NULL,"
    "  PRIMARY KEY (market_id, interval, start_ms)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE coverage ("
    "  market_id INTEGER NOT NULL,"
    "  level INTEGER NOT NULL," /* interval.id */
    "  lost INTEGER NOT NULL,"  /* 1: nothing can fill it any more */
    "  from_ms INTEGER NOT NULL,"
    "  to_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (market_id, level, lost, from_ms)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE gap ("
    "  market_id INTEGER NOT NULL,"
    "  from_ms INTEGER NOT NULL,"
    "  to_ms INTEGER NOT NULL," /* 0: still going on */
    "  reason TEXT NOT NULL,"
    "  state INTEGER NOT NULL," /* 0 open, 1 healed, 2 lost */
    "  PRIMARY KEY (market_id, from_ms)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX gap_newest ON gap (from_ms);"
    "CREATE INDEX gap_open ON gap (from_ms) WHERE state = 0;"

    "CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"

    /* For people: SELECT * FROM candles WHERE code = 'KRW-BTC' AND interval = '1m'
     *             ORDER BY start_ms DESC LIMIT 10; */
    "CREATE VIEW candles AS SELECT"
    "  market.code AS code, interval.name AS interval,"
    "  strftime('%Y-%m-%dT%H:%M:%S', c.start_ms / 1000, 'unixepoch') AS start,"
    "  " TEXT_OF_UNITS(
        "c.open") " AS open,"
                  "  " TEXT_OF_UNITS(
                      "c.high") " AS high,"
                                "  " TEXT_OF_UNITS(
                                    "c.low") " AS low,"
                                             "  " TEXT_OF_UNITS(
                                                 "c.close") " AS close,"
                                                            "  c.volume AS volume, c.amount AS "
                                                            "amount,"
                                                            "  CASE c.state WHEN 0 THEN 'forming' "
                                                            "WHEN 1 THEN 'closed' WHEN 2 THEN "
                                                            "'repaired'"
                                                            "    WHEN 3 THEN 'partial' END AS "
                                                            "state,"
                                                            "  c.rev AS rev,"
                                                            "  CASE c.source WHEN 0 THEN 'upbit' "
                                                            "WHEN 1 THEN 'simulated' WHEN 2 THEN "
                                                            "'replay'"
                                                            "    WHEN 3 THEN 'imported' END AS "
                                                            "source,"
                                                            "  c.repair AS repair, c.timestamp_ms "
                                                            "AS timestamp_ms, c.start_ms AS "
                                                            "start_ms"
                                                            " FROM market JOIN interval"
                                                            " JOIN candle AS c ON c.market_id = "
                                                            "market.id AND c.interval = interval.id"
                                                            " WHERE c.tombstone = 0;";

/* The numbers above stand in files: the enums must never move. */
_Static_assert(INTERVAL_1S == 0 && INTERVAL_1M == 1 && INTERVAL_3M == 2 && INTERVAL_5M == 3 &&
                   INTERVAL_10M == 4 && INTERVAL_15M == 5 && INTERVAL_30M == 6 &&
                   INTERVAL_1H == 7 && INTERVAL_4H == 8 && INTERVAL_1D == 9 && INTERVAL_1W == 10 &&
                   INTERVAL_1MO == 11 && INTERVAL_COUNT == 12,
               "enum interval differs from the files'");
_Static_assert(CANDLE_FORMING == 0 && CANDLE_CLOSED == 1 && CANDLE_REPAIRED == 2 &&
                   CANDLE_PARTIAL == 3,
               "enum candle_state differs from the files'");
_Static_assert(SOURCE_UPBIT == 0 && SOURCE_SIMULATED == 1 && SOURCE_REPLAY == 2 &&
                   SOURCE_IMPORTED == 3 && SOURCE_COUNT == 4,
               "enum source differs from the files'");
_Static_assert(STORE_GAP_OPEN == 0 && STORE_GAP_HEALED == 1 && STORE_GAP_LOST == 2,
               "enum store_gap_state differs from the files'");

const char *const sqlite_migrations[] = {schema_1};
const int sqlite_version = (int)(sizeof sqlite_migrations / sizeof sqlite_migrations[0]);
