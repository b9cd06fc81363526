-- SPDX-License-Identifier: Apache-2.0
-- 2: the roll-up. docs/rollup.md explains it.

-- Work of one run, empty between runs. Unlogged: a crash empties it, and the run with it.
CREATE UNLOGGED TABLE roll_change (
    kind dirty_kind NOT NULL,
    level candle_interval NOT NULL,
    code text NOT NULL,
    from_time timestamptz NOT NULL,
    to_time timestamptz NOT NULL
) WITH (autovacuum_enabled = off);
CREATE UNLOGGED TABLE roll_noted (
    level candle_interval NOT NULL,
    code text NOT NULL,
    candle_time timestamptz NOT NULL,
    rev bigint NOT NULL,
    state candle_state NOT NULL,
    told boolean NOT NULL,
    PRIMARY KEY (level, code, candle_time)
) WITH (autovacuum_enabled = off);
CREATE UNLOGGED TABLE roll_region (code text NOT NULL, region tstzrange NOT NULL) WITH (autovacuum_enabled = off);
CREATE INDEX roll_region_code ON roll_region (code);
CREATE UNLOGGED TABLE roll_cover (
    level candle_interval NOT NULL,
    code text NOT NULL,
    covered tstzmultirange NOT NULL,
    known tstzmultirange NOT NULL, -- with what is lost
    PRIMARY KEY (level, code)
) WITH (autovacuum_enabled = off);
CREATE UNLOGGED TABLE roll_window (
    level candle_interval NOT NULL,
    code text NOT NULL,
    candle_time timestamptz NOT NULL,
    closing boolean NOT NULL, -- coverage of it changed, not only a child
    PRIMARY KEY (level, code, candle_time)
) WITH (autovacuum_enabled = off);
CREATE UNLOGGED TABLE roll_next (
    LIKE market_candle_1s,
    level candle_interval NOT NULL,
    covered boolean NOT NULL, -- by its children: it is their sum
    own boolean NOT NULL,     -- the exchange's own candle, or kept from dropped children
    differs boolean NOT NULL,
    news boolean NOT NULL,
    PRIMARY KEY (level, code, candle_time)
) WITH (autovacuum_enabled = off);

-- Taken before the snapshot, so that one run at a time sees all that the run before it did.
CREATE TABLE roll_lock ();

CREATE FUNCTION child_of(i candle_interval) RETURNS candle_interval LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE i
    WHEN '3m' THEN '1m' WHEN '5m' THEN '1m' WHEN '10m' THEN '5m' WHEN '15m' THEN '5m'
    WHEN '30m' THEN '15m' WHEN '1h' THEN '30m' WHEN '4h' THEN '1h' WHEN '1d' THEN '4h'
    WHEN '1w' THEN '1d' WHEN '1mo' THEN '1d' ELSE '1s' END::candle_interval;

CREATE FUNCTION table_of(i candle_interval) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 'market_candle_' || i::text;

-- The first whole window of a level at or after a time. All of time begins at the epoch, also for weeks.
CREATE FUNCTION first_whole(i candle_interval, t timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN t <= 'epoch' OR window_start(i, t) = t THEN t ELSE window_end(i, window_start(i, t)) END;

-- What is known of a market around the windows that change, level by level: directly, and whole
-- windows of what is known one level below.
CREATE FUNCTION roll_up_cover() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    i candle_interval;
BEGIN
    INSERT INTO roll_region
        SELECT code, unnest(range_agg(tstzrange(
            least(window_start('1w', from_time), window_start('1mo', from_time)),
            greatest(window_end('1w', window_start('1w', to_time)), window_end('1mo', window_start('1mo', to_time))))))
        FROM roll_change GROUP BY code;
    FOREACH i IN ARRAY enum_range(NULL::candle_interval) LOOP
        INSERT INTO roll_cover (level, code, covered, known)
        SELECT i, m.code, coalesce(d.spans, '{}') + coalesce(b.covered, '{}'),
               coalesce(d.spans, '{}') + coalesce(d.lost, '{}') + coalesce(b.known, '{}')
        FROM (SELECT DISTINCT code FROM roll_region) AS m
        LEFT JOIN LATERAL (
            SELECT range_agg(tstzrange(v.from_time, v.to_time)) FILTER (WHERE NOT v.lost) AS spans,
                   range_agg(tstzrange(v.from_time, v.to_time)) FILTER (WHERE v.lost) AS lost
            FROM roll_region AS r, (VALUES (false), (true)) AS l (lost), LATERAL (
                SELECT * FROM coverage AS a
                WHERE a.code = r.code AND a.level = i AND a.lost = l.lost
                  AND a.from_time < upper(r.region)
                  AND a.from_time >= coalesce(
                      (SELECT max(b.from_time) FROM coverage AS b WHERE b.code = r.code AND b.level = i
                         AND b.lost = l.lost AND b.from_time <= lower(r.region)), lower(r.region))) AS v
            WHERE r.code = m.code) AS d ON true
        LEFT JOIN roll_cover AS c ON i <> '1s' AND c.level = child_of(i) AND c.code = m.code
        LEFT JOIN LATERAL (
            SELECT range_agg(s.span) FILTER (WHERE s.heard) AS covered, range_agg(s.span) AS known
            FROM (SELECT tstzrange(first_whole(i, lower(u.span)), window_start(i, upper(u.span))) AS span, u.heard
                  FROM (SELECT true AS heard, unnest(c.covered) AS span
                        UNION ALL SELECT false, unnest(c.known) WHERE c.known <> c.covered) AS u
                  WHERE first_whole(i, lower(u.span)) < window_start(i, upper(u.span))) AS s) AS b ON true;
    END LOOP;
END $$;

-- Where children are seconds: which of them a run can need at all, so that the planner looks at the
-- partitions of these days only, however many there are.
CREATE FUNCTION roll_up_bounds(i candle_interval) RETURNS text LANGUAGE sql STABLE RETURN
    CASE WHEN i = '1m' THEN (
        SELECT format('AND k.candle_time >= %L AND k.candle_time < %L', min(window_start('1m', from_time)),
                      max(window_end('1m', window_start('1m', to_time))))
        FROM roll_change) ELSE '' END;

-- Windows of a level to be looked at: those that hold something, where a child, the level itself or
-- what is known changed.
CREATE FUNCTION roll_up_windows(i candle_interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($sql$
        INSERT INTO roll_window (level, code, candle_time, closing)
        SELECT %1$L, t.code, window_start(%1$L, c.candle_time), bool_or(t.closing)
        FROM (
            SELECT s.code, s.first, s.last, bool_or(s.closing) AS closing
            FROM (
                SELECT code, window_start(%1$L, from_time) AS first,
                       window_end(%1$L, window_start(%1$L, to_time - interval '1 us')) AS last, kind = 'cover' AS closing
                FROM roll_change
                WHERE (kind = 'cover' AND level <= %1$L) OR (kind = 'window' AND level = %1$L)
                   OR (kind = 'rows' AND level = %4$L)) AS s
            GROUP BY s.code, s.first, s.last) AS t,
            LATERAL (
                SELECT candle_time FROM %2$I AS k
                WHERE k.code = t.code AND k.candle_time >= t.first AND k.candle_time < t.last %5$s
                UNION ALL
                SELECT candle_time FROM %3$I AS k
                WHERE k.code = t.code AND k.candle_time >= t.first AND k.candle_time < t.last
                UNION ALL
                SELECT candle_time FROM market_fetched AS k
                WHERE k.level = %1$L AND k.code = t.code AND k.candle_time >= t.first AND k.candle_time < t.last) AS c
        GROUP BY t.code, window_start(%1$L, c.candle_time)
        $sql$, i, table_of(child_of(i)), table_of(i), child_of(i), roll_up_bounds(i));
END $$;

-- What each of these windows should hold (DESIGN 2.3-2.6), compared with what it holds. OFFSET 0 keeps the steps apart:
-- put into each other, their expressions take the planner longer than the rows take.
CREATE FUNCTION roll_up_next(i candle_interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($sql$
        INSERT INTO roll_next
        SELECT v.code, v.candle_time, v.open, v.high, v.low, v.close, v.volume, v.amount, v.stamp, v.repair,
               v.rev, v.state::candle_state, v.source, v.tombstone, %1$L, v.covered, v.own,
               v.differs OR v.rev IS DISTINCT FROM v.old_rev OR v.state::candle_state IS DISTINCT FROM v.old_state,
               v.told AND v.state <> 'forming'
        FROM (
        SELECT r.*,
               CASE WHEN r.noted THEN r.note_state::text
                    WHEN NOT r.known THEN r.was::text
                    WHEN NOT r.is_covered THEN 'partial'
                    WHEN r.was <> 'forming' AND (r.differs OR r.rev <> coalesce(r.old_rev, 1)) THEN 'repaired'
                    WHEN r.was = 'repaired' THEN 'repaired'
                    ELSE 'closed' END AS state
        FROM (
        SELECT q.*,
               CASE WHEN q.noted THEN greatest(q.note_rev, q.old_rev)
                    ELSE greatest(q.sum_rev, coalesce(q.old_rev, 1) + (q.was <> 'forming' AND q.differs)::integer)
                    END AS rev
        FROM (
        SELECT p.code, p.candle_time, p.covered, p.own, p.sum_rev, p.old_rev, p.old_state, p.known, p.is_covered,
               p.was, n.rev AS note_rev, n.state AS note_state, coalesce(n.told, false) AS told,
               coalesce(n.rev > 1 OR p.own, false) AND n.code IS NOT NULL AS noted,
               c.open, c.high, c.low, c.close, c.volume, c.amount, c.stamp, c.repair, c.source, c.tombstone,
               p.old_rev IS NULL
               OR (c.repair, c.volume, c.stamp, c.amount, c.close, c.high, c.low, c.open, c.tombstone)
               IS DISTINCT FROM (p.o_repair, p.o_volume, p.o_stamp, p.o_amount, p.o_close, p.o_high, p.o_low,
                                 p.o_open, p.o_tombstone) AS differs
        FROM (
        SELECT w.code, w.candle_time,
               child.covered @> span.r AS covered, self.covered @> span.r AS is_covered,
               self.known @> span.r AS known,
               s.rows AS sum_rows, s.live, s.open, s.high, s.low, s.close, s.volume, s.amount, s.stamp,
               1 + coalesce(s.revs, 0) AS sum_rev, s.source AS sum_source,
               o.rev AS old_rev, o.state AS old_state, o.repair AS o_repair,
               o.candle_acc_trade_volume AS o_volume, o."timestamp" AS o_stamp,
               o.candle_acc_trade_price AS o_amount, o.trade_price AS o_close, o.high_price AS o_high,
               o.low_price AS o_low, o.opening_price AS o_open, o.tombstone AS o_tombstone, o.source AS o_source,
               -- Without a record, a window that is known held no trade so far, unless just learnt.
               coalesce(o.state, CASE WHEN w.closing OR NOT self.known @> span.r THEN 'forming' ELSE 'closed' END
                        ::candle_state) AS was,
               e.code IS NOT NULL AS has_own, e.source AS e_source, e.repair AS e_repair, e.volume AS e_volume,
               e.stamp AS e_stamp, e.amount AS e_amount, e.close AS e_close, e.high AS e_high, e.low AS e_low,
               e.open AS e_open, e.tombstone AS e_tombstone,
               NOT child.covered @> span.r AND e.code IS NOT NULL AND NOT (e.tombstone AND e.repair = 0)
               AND (coalesce(s.live, 0) = 0
                    OR (0::bigint, s.volume, s.stamp, s.amount, s.close, s.high, s.low, s.open, false)
                       < (e.repair, e.volume, e.stamp, e.amount, e.close, e.high, e.low, e.open, e.tombstone))
               AS own
        FROM roll_window AS w
        CROSS JOIN LATERAL (SELECT tstzrange(w.candle_time, window_end(%1$L, w.candle_time)) AS r) AS span
        JOIN roll_cover AS child ON child.level = %4$L AND child.code = w.code
        JOIN roll_cover AS self ON self.level = %1$L AND self.code = w.code
        LEFT JOIN %3$I AS o ON o.code = w.code AND o.candle_time = w.candle_time
        LEFT JOIN LATERAL ( -- the sum of what is known
            SELECT count(*) AS rows, count(*) FILTER (WHERE NOT k.tombstone) AS live,
                   (array_agg(k.opening_price ORDER BY k.candle_time) FILTER (WHERE NOT k.tombstone))[1] AS open,
                   max(k.high_price) FILTER (WHERE NOT k.tombstone) AS high,
                   min(k.low_price) FILTER (WHERE NOT k.tombstone) AS low,
                   (array_agg(k.trade_price ORDER BY k.candle_time DESC) FILTER (WHERE NOT k.tombstone))[1] AS close,
                   sum(k.candle_acc_trade_volume) FILTER (WHERE NOT k.tombstone) AS volume,
                   sum(k.candle_acc_trade_price) FILTER (WHERE NOT k.tombstone) AS amount,
                   max(k."timestamp") FILTER (WHERE NOT k.tombstone) AS stamp,
                   sum(k.rev - 1)::bigint AS revs,
                   (array_agg(k.source ORDER BY k.tombstone, k.candle_time))[1] AS source
            FROM %2$I AS k
            WHERE k.code = w.code AND k.candle_time >= greatest(w.candle_time,
                      (SELECT dropped_before FROM retention WHERE level = %4$L))
              AND k.candle_time < window_end(%1$L, w.candle_time) %5$s) AS s ON true
        LEFT JOIN LATERAL ( -- the greatest of the exchange's own and of what dropped children left
            SELECT * FROM (
                SELECT code, source, repair, candle_acc_trade_volume AS volume, "timestamp" AS stamp,
                       candle_acc_trade_price AS amount, trade_price AS close, high_price AS high,
                       low_price AS low, opening_price AS open, tombstone
                FROM market_fetched AS k
                WHERE k.level = %1$L AND k.code = w.code AND k.candle_time = w.candle_time
                UNION ALL
                SELECT o.code, o.source, o.repair, o.candle_acc_trade_volume, o."timestamp",
                       o.candle_acc_trade_price, o.trade_price, o.high_price, o.low_price, o.opening_price, o.tombstone
                WHERE o.code IS NOT NULL
                  AND w.candle_time < (SELECT dropped_before FROM retention WHERE level = %4$L)) AS both_kinds
            ORDER BY repair DESC, volume DESC, stamp DESC, amount DESC, close DESC, high DESC, low DESC, open DESC,
                     tombstone DESC
            LIMIT 1) AS e ON true
        WHERE w.level = %1$L OFFSET 0
        ) AS p
        CROSS JOIN LATERAL (
            SELECT CASE WHEN p.own THEN p.e_open WHEN p.live > 0 THEN p.open ELSE 0 END AS open,
                   CASE WHEN p.own THEN p.e_high WHEN p.live > 0 THEN p.high ELSE 0 END AS high,
                   CASE WHEN p.own THEN p.e_low WHEN p.live > 0 THEN p.low ELSE 0 END AS low,
                   CASE WHEN p.own THEN p.e_close WHEN p.live > 0 THEN p.close ELSE 0 END AS close,
                   CASE WHEN p.own THEN p.e_volume WHEN p.live > 0 THEN p.volume ELSE 0 END AS volume,
                   CASE WHEN p.own THEN p.e_amount WHEN p.live > 0 THEN p.amount ELSE 0 END AS amount,
                   CASE WHEN p.own THEN p.e_stamp WHEN p.live > 0 THEN p.stamp ELSE 0 END AS stamp,
                   CASE WHEN p.own THEN p.e_repair ELSE 0 END AS repair,
                   CASE WHEN p.own THEN p.e_source ELSE coalesce(p.sum_source, p.o_source, p.e_source) END AS source,
                   CASE WHEN p.own THEN p.e_tombstone ELSE p.live = 0 END AS tombstone) AS c
        LEFT JOIN roll_noted AS n ON n.level = %1$L AND n.code = p.code AND n.candle_time = p.candle_time
        -- Of nothing there is nothing to keep, unless something was there.
        WHERE p.sum_rows > 0 OR p.old_rev IS NOT NULL OR (p.has_own AND NOT p.covered) OFFSET 0
        ) AS q OFFSET 0) AS r OFFSET 0) AS v
        $sql$, i, table_of(child_of(i)), table_of(i), child_of(i), roll_up_bounds(i));
END $$;

-- Writes the windows of a level that differ and says so to those above. An own candle that is not
-- more than the sum any longer is forgotten.
CREATE FUNCTION roll_up_write(i candle_interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    EXECUTE format($sql$
        INSERT INTO %1$I AS o
        SELECT code, candle_time, opening_price, high_price, low_price, trade_price, candle_acc_trade_volume,
               candle_acc_trade_price, "timestamp", repair, rev, state, source, tombstone
        FROM roll_next WHERE level = %2$L AND differs
        ON CONFLICT (code, candle_time) DO UPDATE SET
            opening_price = excluded.opening_price, high_price = excluded.high_price,
            low_price = excluded.low_price, trade_price = excluded.trade_price,
            candle_acc_trade_volume = excluded.candle_acc_trade_volume,
            candle_acc_trade_price = excluded.candle_acc_trade_price, "timestamp" = excluded."timestamp",
            repair = excluded.repair, rev = excluded.rev, state = excluded.state, source = excluded.source,
            tombstone = excluded.tombstone
        $sql$, table_of(i), i);
    GET DIAGNOSTICS changed = ROW_COUNT;
    DELETE FROM market_fetched AS f USING roll_next AS n
        WHERE n.level = i AND f.level = i AND f.code = n.code AND f.candle_time = n.candle_time AND NOT n.own;
    INSERT INTO roll_change (kind, level, code, from_time, to_time)
        SELECT 'rows', i, code, candle_time, window_end(i, candle_time) FROM roll_next WHERE level = i AND differs;
    RETURN changed;
END $$;

CREATE FUNCTION outbox_lock() RETURNS void LANGUAGE sql
    BEGIN ATOMIC SELECT pg_advisory_xact_lock(hashtext('stofka outbox'), ('meta'::regclass::oid::bigint & 2147483647)::integer); END;

-- What changed and what was told of these windows goes out, in commit order.
CREATE FUNCTION roll_up_tell() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM roll_next WHERE differs OR news) THEN
        PERFORM outbox_lock();
        INSERT INTO change (number, level, code, from_time, to_time)
            SELECT nextval('change_number'), level, code, min(candle_time), window_end(level, max(candle_time))
            FROM roll_next WHERE differs GROUP BY level, code;
        DELETE FROM change WHERE number < (SELECT max(number) FROM change) - 100000;
        INSERT INTO outbox
            SELECT code, candle_time, opening_price, high_price, low_price, trade_price, candle_acc_trade_volume,
                   candle_acc_trade_price, "timestamp", repair, rev, state, source, tombstone, level,
                   nextval('outbox_number')
            FROM (SELECT * FROM roll_next WHERE news ORDER BY level, code, candle_time) AS n;
        DELETE FROM outbox WHERE number < (SELECT max(number) FROM outbox) - 200000;
    END IF;
END $$;

CREATE FUNCTION roll_up_take() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE roll_change, roll_noted, roll_region, roll_cover, roll_window, roll_next;
    INSERT INTO roll_change
        SELECT kind, level, code, lower(span), upper(span)
        FROM (SELECT kind, level, code, range_agg(tstzrange(from_time, to_time)) AS spans
              FROM dirty GROUP BY kind, level, code) AS d, unnest(spans) AS span;
    INSERT INTO roll_noted
        SELECT DISTINCT ON (level, code, candle_time) level, code, candle_time, rev, state,
               bool_or(told) OVER (PARTITION BY level, code, candle_time)
        FROM roll_note ORDER BY level, code, candle_time, id DESC;
    DELETE FROM dirty;
    DELETE FROM roll_note;
END $$;

-- Brings all parents up to date with one snapshot, and says how many changed. Before it, in the same
-- transaction: SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; LOCK TABLE roll_lock IN EXCLUSIVE MODE;
-- Every step goes from what changed to the rows it needs by index, however much else there is.
CREATE FUNCTION roll_up() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    i candle_interval;
    changed bigint := 0;
BEGIN
    IF current_setting('transaction_isolation') <> 'repeatable read' THEN
        RAISE 'roll_up needs one snapshot: SET TRANSACTION ISOLATION LEVEL REPEATABLE READ first';
    END IF;
    IF EXISTS (SELECT FROM dirty) THEN
        PERFORM roll_up_take();
        PERFORM roll_up_cover();
        FOREACH i IN ARRAY (enum_range(NULL::candle_interval))[2:] LOOP
            PERFORM roll_up_windows(i);
            PERFORM roll_up_next(i);
            changed := changed + roll_up_write(i);
        END LOOP;
        PERFORM roll_up_tell();
    END IF;
    INSERT INTO lane_rolled (partition, seq) SELECT partition, seq FROM lane
        ON CONFLICT (partition) DO UPDATE SET seq = excluded.seq WHERE lane_rolled.seq <> excluded.seq;
    NOTIFY stofka;
    RETURN changed;
END $$;

-- Partitions for the next week, and those dropped that nobody needs: older than the retention, and
-- no market holds them covered any more (the store role takes that back first).
CREATE FUNCTION drop_days() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT SET timezone = 'UTC' SET lock_timeout = '3s' AS $$
DECLARE
    before timestamptz := (SELECT dropped_before FROM retention WHERE level = '1s');
    day_name name;
    dropped integer := 0;
BEGIN
    IF before IS NULL THEN
        RETURN 0;
    END IF;
    before := least(before, (SELECT min(from_time) FROM coverage WHERE level = '1s' AND NOT lost));
    FOR day_name IN
        SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'market_candle_1s'::regclass
          AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= (before AT TIME ZONE 'UTC')::date
        ORDER BY 1
    LOOP
        EXECUTE format('ALTER TABLE market_candle_1s DETACH PARTITION %I', day_name);
        EXECUTE format('DROP TABLE %I', day_name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

CREATE FUNCTION maintain() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
BEGIN
    PERFORM make_days(array_agg(current_date + n)) FROM generate_series(0, 7) AS n;
    RETURN drop_days();
END $$;

-- By pg_cron, where it is: the roll-up each minute, the maintenance each day. Says whether it is.
CREATE FUNCTION schedule() RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    here text := current_schema();
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron')
       OR NOT has_schema_privilege('cron', 'USAGE') THEN
        RETURN false;
    END IF;
    EXECUTE 'SELECT cron.schedule($1, $2, $3)' USING format('stofka roll-up %s', here), '* * * * *', format(
        'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; LOCK TABLE %1$I.roll_lock IN EXCLUSIVE MODE;'
        ' SELECT %1$I.roll_up()', here);
    EXECUTE 'SELECT cron.schedule($1, $2, $3)' USING format('stofka maintenance %s', here), '17 3 * * *',
        format('SELECT %I.maintain()', here);
    RETURN true;
END $$;
