-- SPDX-License-Identifier: Apache-2.0
-- 1: what stofka keeps. See docs/rollup.md. Times are UTC; numbers are exact, with 8 decimals.
-- A migration that was ever released is never edited: a change is a new number.

CREATE TYPE candle_interval AS ENUM
    ('1s', '1m', '3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1mo');
CREATE TYPE candle_state AS ENUM ('forming', 'closed', 'repaired', 'partial');
CREATE TYPE candle_source AS ENUM ('upbit', 'simulated', 'replay', 'imported');
CREATE TYPE gap_state AS ENUM ('open', 'healed', 'lost');
-- rows: candles of a level changed; cover: what is known at a level changed; window: an exchange's
-- own candle or a note of that level came or went.
CREATE TYPE dirty_kind AS ENUM ('rows', 'cover', 'window');

-- Functions of time are STABLE, though they depend on no setting: arithmetic on times with zone is said to be, and
-- only so the planner puts their bodies in place of the calls.
CREATE FUNCTION at_ms(ms bigint) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE RETURN
    timestamptz 'epoch' + (ms / 1000) * interval '1 second' + (ms % 1000) * interval '1 millisecond';
CREATE FUNCTION ms_of(t timestamptz) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE RETURN (extract(epoch FROM t) * 1000)::bigint;

CREATE FUNCTION window_start(i candle_interval, t timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE RETURN CASE i
    WHEN '1mo' THEN date_trunc('month', t, 'UTC')
    WHEN '1w' THEN date_bin('7 days', t, '1969-12-29 00:00:00+00') -- a Monday
    WHEN '1s' THEN date_bin('1 second', t, 'epoch')
    WHEN '1m' THEN date_bin('1 minute', t, 'epoch')
    WHEN '3m' THEN date_bin('3 minutes', t, 'epoch')
    WHEN '5m' THEN date_bin('5 minutes', t, 'epoch')
    WHEN '10m' THEN date_bin('10 minutes', t, 'epoch')
    WHEN '15m' THEN date_bin('15 minutes', t, 'epoch')
    WHEN '30m' THEN date_bin('30 minutes', t, 'epoch')
    WHEN '1h' THEN date_bin('1 hour', t, 'epoch')
    WHEN '4h' THEN date_bin('4 hours', t, 'epoch')
    ELSE date_bin('1 day', t, 'epoch') END;
-- The end of the window that starts at t. Days of a time with zone depend on the session's, hours don't.
CREATE FUNCTION window_end(i candle_interval, t timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE RETURN CASE i
    WHEN '1mo' THEN date_trunc('month', t + interval '768 hours', 'UTC')
    WHEN '1w' THEN t + interval '168 hours'
    WHEN '1s' THEN t + interval '1 second'
    WHEN '1m' THEN t + interval '1 minute'
    WHEN '3m' THEN t + interval '3 minutes'
    WHEN '5m' THEN t + interval '5 minutes'
    WHEN '10m' THEN t + interval '10 minutes'
    WHEN '15m' THEN t + interval '15 minutes'
    WHEN '30m' THEN t + interval '30 minutes'
    WHEN '1h' THEN t + interval '1 hour'
    WHEN '4h' THEN t + interval '4 hours'
    ELSE t + interval '24 hours' END;

CREATE TABLE meta (
    id integer PRIMARY KEY CHECK (id = 1),
    source candle_source NOT NULL, -- live and simulated never mix
    epoch text NOT NULL            -- names this database's stream of positions
);

-- One lane a partition of the bus: what of it the rows hold, and up to where parents are true.
CREATE TABLE lane (
    partition integer PRIMARY KEY,
    next bigint NOT NULL,          -- offset to be read next
    seq bigint NOT NULL DEFAULT 0, -- newest event
    watermark_ms bigint NOT NULL DEFAULT 0,
    events bigint NOT NULL DEFAULT 0 -- how many rows of it table event holds
) WITH (fillfactor = 50);
CREATE TABLE lane_rolled (partition integer PRIMARY KEY, seq bigint NOT NULL) WITH (fillfactor = 50);
CREATE VIEW bus_position AS
    SELECT partition, next, lane.seq, coalesce(lane_rolled.seq, 0) AS rolled_seq, watermark_ms
    FROM lane LEFT JOIN lane_rolled USING (partition);

CREATE TABLE market (
    code text PRIMARY KEY,
    korean_name text NOT NULL DEFAULT '',
    english_name text NOT NULL DEFAULT '',
    listed boolean NOT NULL DEFAULT false,
    beginning_ms bigint NOT NULL DEFAULT 0 -- start of its oldest day on the exchange, 0: not known
);

CREATE TABLE market_candle_1s (
    code text NOT NULL,
    candle_time timestamptz NOT NULL, -- start of the window: the key, never "timestamp"
    opening_price numeric(19, 8) NOT NULL,
    high_price numeric(19, 8) NOT NULL,
    low_price numeric(19, 8) NOT NULL,
    trade_price numeric(19, 8) NOT NULL,
    candle_acc_trade_volume numeric(48, 8) NOT NULL,
    candle_acc_trade_price numeric(48, 8) NOT NULL,
    "timestamp" bigint NOT NULL, -- ms, when the exchange stored the newest tick
    repair bigint NOT NULL DEFAULT 0,
    rev bigint NOT NULL DEFAULT 1,
    state candle_state NOT NULL DEFAULT 'forming',
    source candle_source NOT NULL,
    tombstone boolean NOT NULL DEFAULT false, -- there is no such candle
    PRIMARY KEY (code, candle_time)
) PARTITION BY RANGE (candle_time);

CREATE TABLE market_candle_1m (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_3m (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_5m (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_10m (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_15m (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_30m (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_1h (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_4h (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_1d (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_1w (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);
CREATE TABLE market_candle_1mo (LIKE market_candle_1s INCLUDING ALL) WITH (fillfactor = 90);

-- The exchange's own coarser candles, while they are more than the sum of what is known below.
CREATE TABLE market_fetched (
    LIKE market_candle_1s INCLUDING DEFAULTS,
    level candle_interval NOT NULL,
    PRIMARY KEY (level, code, candle_time)
);

-- What of a market's time is known at a level: disjoint spans [from_time, to_time). lost: nothing
-- can fill it any more.
CREATE TABLE coverage (
    code text NOT NULL,
    level candle_interval NOT NULL,
    lost boolean NOT NULL,
    from_time timestamptz NOT NULL,
    to_time timestamptz NOT NULL,
    PRIMARY KEY (code, level, lost, from_time)
) WITH (fillfactor = 50);
CREATE INDEX coverage_oldest ON coverage (level, from_time) WHERE NOT lost;

CREATE TABLE gap (
    code text NOT NULL,
    from_time timestamptz NOT NULL,
    to_time timestamptz, -- null: still going on
    reason text NOT NULL,
    state gap_state NOT NULL,
    PRIMARY KEY (code, from_time)
);
CREATE INDEX gap_newest ON gap (from_time DESC, code);
CREATE INDEX gap_open ON gap (from_time DESC, code) WHERE state = 'open';

-- What clients see exactly once, kept for a while so that they can resume.
CREATE TABLE event (partition integer, seq bigint, body bytea NOT NULL, PRIMARY KEY (partition, seq));

-- Told candles in commit order: numbers are given under a lock held to the end of the transaction.
CREATE SEQUENCE outbox_number;
CREATE TABLE outbox (LIKE market_candle_1s, level candle_interval NOT NULL, number bigint PRIMARY KEY);

-- Spans of parents that a roll-up changed, in commit order, kept for a while: who holds copies drops them.
CREATE SEQUENCE change_number;
CREATE TABLE change (
    number bigint PRIMARY KEY,
    level candle_interval NOT NULL,
    code text NOT NULL,
    from_time timestamptz NOT NULL,
    to_time timestamptz NOT NULL,
    made timestamptz NOT NULL DEFAULT now()
);

-- What changed since the last roll-up. Only ever added to, by who changes; the roll-up deletes what
-- its snapshot held.
CREATE TABLE dirty (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind dirty_kind NOT NULL,
    level candle_interval NOT NULL,
    code text NOT NULL,
    from_time timestamptz NOT NULL,
    to_time timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- What the order of the bus decided about parents and no sum can say: rev above 1 with its state,
-- and that clients were told. The newest of a window counts.
CREATE TABLE roll_note (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    level candle_interval NOT NULL,
    code text NOT NULL,
    candle_time timestamptz NOT NULL,
    rev bigint NOT NULL,
    state candle_state NOT NULL,
    told boolean NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- Rows of a level that start before are dropped, or may be at any moment: what was made of them stays.
CREATE TABLE retention (level candle_interval PRIMARY KEY, dropped_before timestamptz NOT NULL);

-- One partition of the seconds a UTC day, by name: market_candle_1s_20260311.
CREATE FUNCTION day_table(day date) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN 'market_candle_1s_' || to_char(day, 'YYYYMMDD');

-- Attaching takes no lock that readers or writers of other days wait for.
CREATE FUNCTION make_days(days date[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
DECLARE
    day date;
BEGIN
    FOREACH day IN ARRAY days LOOP
        IF to_regclass(day_table(day)) IS NOT NULL THEN
            CONTINUE;
        END IF;
        PERFORM pg_advisory_xact_lock(hashtext('stofka days'), ('meta'::regclass::oid::bigint & 2147483647)::integer);
        -- Asked of the table itself: what a session remembers of names may be older than the lock.
        IF EXISTS (SELECT FROM pg_class WHERE relname = day_table(day)
                   AND relnamespace = current_schema()::regnamespace) THEN
            CONTINUE;
        END IF;
        EXECUTE format('CREATE TABLE %I (LIKE market_candle_1s INCLUDING ALL)'
                       ' WITH (autovacuum_vacuum_insert_scale_factor = 0.05)', day_table(day));
        EXECUTE format('ALTER TABLE market_candle_1s ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       day_table(day), day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    END LOOP;
END $$;
