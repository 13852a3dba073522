-- Counters that never fall and cost nothing to read. Counting the rows of ten thousand days at every
-- scrape would walk the event log, and an erasure would make the counter fall; so whatever is counted
-- leaves a delta in the transaction in which it happens. Append-only, hence no lock that two runs
-- could wait for; the watchman folds deltas into totals. A rolled back transaction leaves none, an
-- erased row takes none away, and no delta names a work order.

CREATE TABLE tally_deltas (
    name            text NOT NULL,
    labels          text[] NOT NULL DEFAULT '{}',
    value           double precision NOT NULL
);

CREATE TABLE tallies (
    name            text NOT NULL,
    labels          text[] NOT NULL DEFAULT '{}',
    value           double precision NOT NULL,
    PRIMARY KEY (name, labels)
);

-- The bucket of a histogram: the smallest bound that is not below the value.
CREATE FUNCTION tally_bucket(value double precision, bounds double precision[]) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((SELECT min(bound) FROM unnest(bounds) bound WHERE value <= bound)::text, '+Inf')
$$;

-- These run with the owner's rights: whoever may write the row may count it, and nothing else.
CREATE FUNCTION tally_event() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    INSERT INTO tally_deltas VALUES ('events', ARRAY[NEW.kind], 1);
    RETURN NULL;
END $$;
CREATE TRIGGER events_are_tallied AFTER INSERT ON workflow_events
    FOR EACH ROW WHEN (NEW.kind LIKE 'run.%' OR NEW.kind LIKE 'work_order.%')
    EXECUTE FUNCTION tally_event();

CREATE FUNCTION tally_lines() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    INSERT INTO tally_deltas
    SELECT 'lines', ARRAY[stream, status], count(*) FROM added GROUP BY stream, status;
    RETURN NULL;
END $$;
CREATE TRIGGER lines_are_tallied AFTER INSERT ON intake_line
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_lines();

CREATE FUNCTION tally_sorted_out() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    INSERT INTO tally_deltas
    SELECT 'sorted_out', ARRAY[reason], count(*) FROM added GROUP BY reason;
    RETURN NULL;
END $$;
CREATE TRIGGER sorted_out_is_tallied AFTER INSERT ON sorted_out
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_sorted_out();

CREATE FUNCTION tally_alert() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    INSERT INTO tally_deltas VALUES ('alerts', ARRAY[NEW.kind], 1);
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_are_tallied AFTER INSERT ON alerts
    FOR EACH ROW EXECUTE FUNCTION tally_alert();

-- From the moment the intake read the line to the moment the draft was found in the mailbox. A
-- publication of today's sender whose line our intake has not read is counted, and not timed.
CREATE FUNCTION tally_publication() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE
    took double precision;
BEGIN
    INSERT INTO tally_deltas VALUES ('publications', ARRAY[NEW.publisher, NEW.state], 1);
    IF NEW.state = 'CONFIRMED' THEN
        SELECT greatest(extract(epoch FROM NEW.changed_at - accepted_at), 0) INTO took
          FROM work_orders WHERE key = NEW.work_order_key;
        IF took IS NOT NULL THEN
            INSERT INTO tally_deltas VALUES
                ('line_to_draft', ARRAY[NEW.publisher, tally_bucket(took,
                    '{5,10,20,30,60,120,300,600,1800,3600,14400,86400}')], 1),
                ('line_to_draft_sum', ARRAY[NEW.publisher], took);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER publications_are_tallied AFTER UPDATE OF state ON publication_ledger
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NEW.state IN ('CONFIRMED', 'HELD', 'DEAD'))
    EXECUTE FUNCTION tally_publication();

CREATE FUNCTION tally_model_call() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE
    took double precision := NEW.latency_ms / 1000.0;
BEGIN
    INSERT INTO tally_deltas VALUES
        ('model_tokens', ARRAY[NEW.model, 'input'], coalesce(NEW.input_tokens, 0)),
        ('model_tokens', ARRAY[NEW.model, 'cached'], coalesce(NEW.cached_tokens, 0)),
        ('model_tokens', ARRAY[NEW.model, 'output'], coalesce(NEW.output_tokens, 0)),
        ('model_cost', ARRAY[NEW.model], NEW.cost),
        ('model_latency', ARRAY[NEW.model, NEW.purpose, tally_bucket(took,
            '{0.5,1,2,3,5,8,13,20,30,60}')], 1),
        ('model_latency_sum', ARRAY[NEW.model, NEW.purpose], took);
    RETURN NULL;
END $$;
CREATE TRIGGER model_calls_are_tallied AFTER INSERT ON model_calls
    FOR EACH ROW EXECUTE FUNCTION tally_model_call();

-- What there is already. The triggers above hold their tables until this commits: nothing is
-- counted twice, and nothing is left out.
INSERT INTO tallies
SELECT 'events', ARRAY[kind], count(*) FROM workflow_events
 WHERE kind LIKE 'run.%' OR kind LIKE 'work_order.%' GROUP BY kind
 UNION ALL
SELECT 'lines', ARRAY[stream, status], count(*) FROM intake_line GROUP BY stream, status
 UNION ALL
SELECT 'sorted_out', ARRAY[reason], count(*) FROM sorted_out GROUP BY reason
 UNION ALL
SELECT 'alerts', ARRAY[kind], count(*) FROM alerts GROUP BY kind
 UNION ALL
SELECT 'publications', ARRAY[publisher, state], count(*) FROM publication_ledger
 WHERE state IN ('CONFIRMED', 'HELD', 'DEAD') GROUP BY publisher, state
 UNION ALL
SELECT 'line_to_draft', ARRAY[publisher, tally_bucket(took,
       '{5,10,20,30,60,120,300,600,1800,3600,14400,86400}')], count(*)
  FROM (SELECT l.publisher, greatest(extract(epoch FROM l.changed_at - w.accepted_at), 0) AS took
          FROM publication_ledger l JOIN work_orders w ON w.key = l.work_order_key
         WHERE l.state = 'CONFIRMED') AS timed GROUP BY 1, 2
 UNION ALL
SELECT 'line_to_draft_sum', ARRAY[l.publisher],
       sum(greatest(extract(epoch FROM l.changed_at - w.accepted_at), 0))
  FROM publication_ledger l JOIN work_orders w ON w.key = l.work_order_key
 WHERE l.state = 'CONFIRMED' GROUP BY l.publisher
 UNION ALL
SELECT 'model_tokens', ARRAY[model, part], sum(tokens)
  FROM model_calls CROSS JOIN LATERAL (VALUES ('input', input_tokens), ('cached', cached_tokens),
       ('output', output_tokens)) AS each (part, tokens) WHERE tokens IS NOT NULL GROUP BY model, part
 UNION ALL
SELECT 'model_cost', ARRAY[model], sum(cost) FROM model_calls GROUP BY model
 UNION ALL
SELECT 'model_latency', ARRAY[model, purpose, tally_bucket(latency_ms / 1000.0,
       '{0.5,1,2,3,5,8,13,20,30,60}')], count(*) FROM model_calls GROUP BY 1, 2
 UNION ALL
SELECT 'model_latency_sum', ARRAY[model, purpose], sum(latency_ms) / 1000.0 FROM model_calls
 GROUP BY model, purpose;

-- What is asked at every scrape and would otherwise walk a table that only grows.
CREATE INDEX reply_outcomes_drafted ON reply_outcomes (act)
    WHERE origin = 'live' AND publisher IS NOT NULL;
CREATE INDEX reply_outcomes_undrafted ON reply_outcomes (act)
    WHERE origin = 'live' AND publisher IS NULL;
CREATE INDEX quarantine_open ON quarantine (reason) WHERE discarded_at IS NULL;
