-- SPDX-License-Identifier: Apache-2.0
-- Second candles by Kafka Connect instead of `stofka store`: a stock JDBC sink inserts each row of topic
-- market_candle_rows into market_candle_staging, whose trigger merges it into connect_candle_1s and keeps
-- nothing in between. Rows come twice (two collectors, a restarted sink) and in any order; the greater
-- version wins, by the same order as everywhere (DESIGN 2.3: repair number, volume, timestamp, the
-- rest), so the result is the same. State and rev are not here: they hang on watermarks, which a sink
-- does not see. Safe to run again.

CREATE TABLE IF NOT EXISTS connect_candle_1s (
    code text NOT NULL,
    candle_time timestamptz NOT NULL,
    opening_price numeric NOT NULL,
    high_price numeric NOT NULL,
    low_price numeric NOT NULL,
    trade_price numeric NOT NULL,
    candle_acc_trade_volume numeric NOT NULL,
    candle_acc_trade_price numeric NOT NULL,
    "timestamp" bigint NOT NULL,
    repair bigint NOT NULL,
    tombstone boolean NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (code, candle_time)
);

-- As the sink writes it: numbers and the time are text, so that no double touches them on the way.
CREATE TABLE IF NOT EXISTS market_candle_staging (
    code text NOT NULL,
    candle_time text NOT NULL,
    opening_price text NOT NULL,
    high_price text NOT NULL,
    low_price text NOT NULL,
    trade_price text NOT NULL,
    candle_acc_trade_volume text NOT NULL,
    candle_acc_trade_price text NOT NULL,
    "timestamp" bigint NOT NULL,
    repair bigint NOT NULL,
    tombstone boolean NOT NULL,
    source text NOT NULL
);

CREATE OR REPLACE FUNCTION market_candle_staged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO connect_candle_1s AS held VALUES (
        NEW.code, (NEW.candle_time || 'Z')::timestamptz, NEW.opening_price::numeric, NEW.high_price::numeric,
        NEW.low_price::numeric, NEW.trade_price::numeric, NEW.candle_acc_trade_volume::numeric,
        NEW.candle_acc_trade_price::numeric, NEW."timestamp", NEW.repair, NEW.tombstone, NEW.source)
    ON CONFLICT (code, candle_time) DO UPDATE SET
        opening_price = excluded.opening_price,
        high_price = excluded.high_price,
        low_price = excluded.low_price,
        trade_price = excluded.trade_price,
        candle_acc_trade_volume = excluded.candle_acc_trade_volume,
        candle_acc_trade_price = excluded.candle_acc_trade_price,
        "timestamp" = excluded."timestamp",
        repair = excluded.repair,
        tombstone = excluded.tombstone,
        source = excluded.source
    WHERE (excluded.repair, excluded.candle_acc_trade_volume, excluded."timestamp",
           excluded.candle_acc_trade_price, excluded.trade_price, excluded.high_price, excluded.low_price,
           excluded.opening_price, excluded.tombstone)
        > (held.repair, held.candle_acc_trade_volume, held."timestamp",
           held.candle_acc_trade_price, held.trade_price, held.high_price, held.low_price,
           held.opening_price, held.tombstone);
    RETURN NULL;
END $$;

-- One task's rows at a time: two that bring the same candles in different order would wait for each other, and a
-- task whose transaction the database gave up stays failed.
CREATE OR REPLACE FUNCTION market_candle_in_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(TG_RELID::bigint);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER market_candle_in_turn BEFORE INSERT ON market_candle_staging
    FOR EACH STATEMENT EXECUTE FUNCTION market_candle_in_turn();

CREATE OR REPLACE TRIGGER market_candle_staged BEFORE INSERT ON market_candle_staging
    FOR EACH ROW EXECUTE FUNCTION market_candle_staged();
