-- SPDX-License-Identifier: Apache-2.0
-- Least rights for a cluster's processes. Run once as the owner of the database, after `stofka store`
-- made the schema as that owner, and again after an update that brought migrations:
--
--   psql -v schema=public -f deploy/postgres-roles.sql
--
-- Then give logins to them: CREATE ROLE collector1 LOGIN IN ROLE stofka_writer; and passwords by \password.
--
--   stofka_writer   stofka store: writes rows, rolls up, makes and drops partitions by functions only
--   stofka_reader   stofka serve: reads, listens, asks for a roll-up
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE stofka_writer NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stofka_writer') \gexec
SELECT 'CREATE ROLE stofka_reader NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stofka_reader') \gexec

REVOKE ALL ON SCHEMA :"schema" FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA :"schema" FROM PUBLIC;
GRANT USAGE ON SCHEMA :"schema" TO stofka_writer, stofka_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO stofka_writer, stofka_reader;

SET search_path = :"schema";
GRANT EXECUTE ON FUNCTION at_ms, ms_of, window_start, window_end, roll_up TO stofka_writer, stofka_reader;
GRANT UPDATE ON roll_lock TO stofka_writer, stofka_reader; -- to lock it; it holds nothing

GRANT INSERT, UPDATE ON lane, market, market_candle_1s, market_fetched, coverage, gap, event, retention TO stofka_writer;
GRANT INSERT ON dirty, roll_note, outbox TO stofka_writer;
GRANT DELETE ON market_fetched, coverage, event, outbox TO stofka_writer;
GRANT USAGE ON SEQUENCE outbox_number TO stofka_writer;
GRANT EXECUTE ON FUNCTION make_days, drop_days, maintain, outbox_lock, schedule, day_table TO stofka_writer;
