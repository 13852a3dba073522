-- Who may say that it is proven: the database itself. A certificate is composed by a trigger from the
-- report of a planned look and its gates, whoever inserts it; and `publisher_control` becomes 'swarm'
-- only while that certificate holds, whoever updates it. Rolling back and stopping ask nobody.

-- What tolerances a process saw in its home when it last said that it lives.
ALTER TABLE engine_heartbeats ADD COLUMN tolerances_sha256 text NOT NULL DEFAULT '';

-- What a ruleset finds of the must-escalate set, file by file; measured once, as the same bytes find
-- the same.
CREATE TABLE must_escalate_measurements (
    ruleset         text NOT NULL,
    part            text NOT NULL,                        -- a file of the set
    body            jsonb NOT NULL,                       -- the SetPart noun
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (ruleset, part)
);
CREATE TRIGGER must_escalate_measurements_are_immutable
    BEFORE UPDATE OR DELETE ON must_escalate_measurements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- After the cutover: each look over the rolling window, and what followed from it.
CREATE TABLE cutover_watch (
    report_id       bigint PRIMARY KEY REFERENCES readiness_reports (id),
    epoch           bigint NOT NULL,                      -- of the publisher switch at that moment
    breached        jsonb NOT NULL,                       -- gate -> what was seen; {}: none
    enough          boolean NOT NULL,                     -- enough work orders to act upon
    acted           text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER cutover_watch_is_immutable BEFORE UPDATE OR DELETE ON cutover_watch
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Each night it is shown that publishing could be given back now.
CREATE TABLE rollback_drills (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day             date NOT NULL,                        -- UTC
    holds           boolean NOT NULL,
    reasons         jsonb NOT NULL,
    body            jsonb NOT NULL,                       -- what would have gone where: numbers only
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (holds = (reasons = '[]'::jsonb))
);
CREATE TRIGGER rollback_drills_are_immutable BEFORE UPDATE OR DELETE ON rollback_drills
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION in_utc(moment timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

CREATE FUNCTION sha256_of(what text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(what, 'UTF8')), 'hex')
$$;

-- A clock that was set back would let what has expired be valid again.
CREATE FUNCTION clock_behind() RETURNS text LANGUAGE sql VOLATILE
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
    SELECT 'the clock of the database runs behind what is recorded already: it is '
           || in_utc(clock_timestamp()) || ', the newest record is of ' || in_utc(newest)
      FROM (SELECT greatest((SELECT max(at) FROM engine_heartbeats),
                            (SELECT at FROM publication_log ORDER BY id DESC LIMIT 1),
                            (SELECT max(greatest(at, taken_at)) FROM readiness_reports),
                            (SELECT max(planned_at) FROM looks),
                            (SELECT max(at) FROM publisher_history),
                            (SELECT max(issued_at) FROM certificates),
                            (SELECT max(at) FROM certificate_voids)) AS newest) AS recorded
     WHERE newest > clock_timestamp() + interval '2 seconds'
$$;

-- --- reports and gates ---------------------------------------------------------------------------

CREATE FUNCTION look_problem(look timestamptz, taken timestamptz) RETURNS text
    LANGUAGE sql VOLATILE AS $$
    SELECT CASE
        WHEN look IS NULL THEN 'it was looked at in between, not at a planned look'
        WHEN look > clock_timestamp() THEN 'the look of ' || in_utc(look) || ' is not due yet'
        WHEN taken < look THEN 'it was read before the look of ' || in_utc(look)
        WHEN clock_timestamp() > look + interval '30 minutes'
            THEN 'the look of ' || in_utc(look) || ' was missed: 30 minutes are over'
    END
$$;

CREATE FUNCTION report_is_sealed() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE problem text;
BEGIN
    problem := clock_behind();
    IF problem IS NULL AND NEW.taken_at > clock_timestamp() THEN
        problem := 'it says that it was read at ' || in_utc(NEW.taken_at);
    END IF;
    IF problem IS NULL AND NEW.look IS NOT NULL THEN
        problem := look_problem(NEW.look, NEW.taken_at);
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'this readiness report is refused: %', problem;
    END IF;
    NEW.at := clock_timestamp();
    NEW.sha256 := sha256_of(NEW.body::text);
    RETURN NEW;
END $$;
CREATE TRIGGER readiness_reports_are_sealed BEFORE INSERT ON readiness_reports
    FOR EACH ROW EXECUTE FUNCTION report_is_sealed();

-- --- certificates --------------------------------------------------------------------------------

CREATE FUNCTION named_process(process text, role text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT role || ' (' || CASE WHEN process ~ '^\{.*"pid": ?[0-9]+.*\}$'
        THEN 'process ' || substring(process FROM '"pid": ?([0-9]+)')
             || coalesce(' on ' || substring(process FROM '"host": ?"([^"/]*)'), '')
        ELSE process END || ')'
$$;

CREATE FUNCTION runs_another(engine text) RETURNS text LANGUAGE sql VOLATILE
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
    SELECT string_agg(named_process(process, role) || ' is engine ' || h.engine, ', '
                      ORDER BY role, process)
      FROM engine_heartbeats h
     WHERE h.at > clock_timestamp() - interval '60 seconds' AND h.engine <> runs_another.engine
$$;

CREATE FUNCTION running_parts(engine text) RETURNS jsonb LANGUAGE sql VOLATILE
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
    SELECT h.parts FROM engine_heartbeats h
     WHERE h.at > clock_timestamp() - interval '60 seconds' AND h.engine = running_parts.engine
       AND h.role = 'workers'
     ORDER BY h.at DESC LIMIT 1
$$;

CREATE FUNCTION certificate_hash(c certificates) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256_of(concat_ws('|', c.id, c.report_id, c.engine, c.body::text, in_utc(c.issued_at),
                               in_utc(c.valid_until), c.previous_hash))
$$;

-- What this report lacks for a certificate; NULL: nothing.
CREATE FUNCTION report_lacks(report readiness_reports) RETURNS text LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE problem text;
BEGIN
    problem := coalesce(clock_behind(), look_problem(report.look, report.taken_at));
    IF problem IS NOT NULL THEN RETURN problem; END IF;
    IF report.sha256 <> sha256_of(report.body::text) THEN
        RETURN 'report ' || report.id || ' was changed after it was written';
    END IF;
    SELECT string_agg(g.name || ' (' || coalesce(r.verdict, 'not evaluated') || ')', ', ')
      INTO problem
      FROM unnest(ARRAY['completeness', 'durable_records', 'no_manual_inserts', 'safety',
                        'must_escalate', 'quality', 'effects', 'latency_cost', 'coverage',
                        'review_path', 'oversight', 'not_peeked']) AS g (name)
      LEFT JOIN gate_results r ON r.report_id = report.id AND r.gate = g.name
     WHERE r.verdict IS DISTINCT FROM 'PASS';
    IF problem IS NOT NULL THEN
        RETURN 'these gates of report ' || report.id || ' do not pass: ' || problem;
    END IF;
    SELECT 'gate ' || gate || ' failed in the later report ' || report_id INTO problem
      FROM gate_results WHERE verdict = 'FAIL' AND report_id > report.id
     ORDER BY report_id LIMIT 1;
    IF problem IS NOT NULL THEN RETURN problem; END IF;
    problem := runs_another(report.engine);
    IF problem IS NOT NULL THEN
        RETURN 'the report is of engine ' || report.engine || ', but ' || problem;
    END IF;
    IF running_parts(report.engine) IS NULL THEN
        RETURN 'no worker of engine ' || report.engine || ' runs';
    END IF;
    RETURN NULL;
END $$;

-- Whoever inserts a certificate names its report; everything else is composed and checked here.
CREATE FUNCTION certificate_is_earned() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE
    report readiness_reports;
    last certificates;
    problem text;
BEGIN
    PERFORM pg_advisory_xact_lock(7003);  -- one at a time: numbers without a gap
    SELECT * INTO report FROM readiness_reports WHERE id = NEW.report_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no certificate: there is no report %', NEW.report_id;
    END IF;
    problem := report_lacks(report);
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'no certificate: %', problem;
    END IF;
    SELECT * INTO last FROM certificates ORDER BY id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.engine := report.engine;
    NEW.issued_at := clock_timestamp();
    NEW.valid_until := NEW.issued_at + interval '72 hours';
    NEW.previous_hash := coalesce(last.hash, repeat('0', 64));
    NEW.body := jsonb_build_object(
        'number', NEW.id, 'report_id', report.id, 'report_sha256', report.sha256,
        'engine', running_parts(report.engine),
        'tolerances_sha256', report.body->>'tolerances_sha256',
        'look', in_utc(report.look), 'window_from', in_utc(report.window_from),
        'window_to', in_utc(report.window_to), 'counts', report.body->'counts',
        'gates', (SELECT jsonb_object_agg(gate, verdict) FROM gate_results
                   WHERE report_id = report.id),
        'issued_at', in_utc(NEW.issued_at), 'valid_until', in_utc(NEW.valid_until));
    NEW.hash := certificate_hash(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER certificates_are_earned BEFORE INSERT ON certificates
    FOR EACH ROW EXECUTE FUNCTION certificate_is_earned();

CREATE FUNCTION issue_certificate(report bigint) RETURNS bigint LANGUAGE sql VOLATILE
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
    INSERT INTO certificates (id, report_id, engine, body, valid_until, previous_hash, hash)
    VALUES (0, report, '', '{}', clock_timestamp(), '', '')
    RETURNING id
$$;

-- Ends every certificate that still stands; anybody may, it only takes away.
CREATE FUNCTION void_certificates(why text, who text) RETURNS integer LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE ended integer;
BEGIN
    INSERT INTO certificate_voids (certificate_id, reason, actor)
    SELECT c.id, why, who FROM certificates c
     WHERE NOT EXISTS (SELECT 1 FROM certificate_voids v WHERE v.certificate_id = c.id)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END $$;

CREATE FUNCTION a_fail_voids() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    PERFORM void_certificates(
        'gate ' || NEW.gate || ' failed in report ' || NEW.report_id, 'the gates');
    RETURN NULL;
END $$;
CREATE TRIGGER a_failed_gate_voids AFTER INSERT ON gate_results
    FOR EACH ROW WHEN (NEW.verdict = 'FAIL') EXECUTE FUNCTION a_fail_voids();

CREATE FUNCTION another_engine_voids() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE standing certificates;
BEGIN
    SELECT * INTO standing FROM certificates c
     WHERE NOT EXISTS (SELECT 1 FROM certificate_voids v WHERE v.certificate_id = c.id)
     ORDER BY id DESC LIMIT 1;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF NEW.engine <> standing.engine THEN
        PERFORM void_certificates(
            'it is of engine ' || standing.engine || ', and '
            || named_process(NEW.process, NEW.role) || ' is engine ' || NEW.engine, 'a heartbeat');
    ELSIF NEW.tolerances_sha256 <> ''
          AND NEW.tolerances_sha256 <> standing.body->>'tolerances_sha256' THEN
        PERFORM void_certificates('the tolerances were changed', 'a heartbeat');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER another_engine_voids AFTER INSERT OR UPDATE ON engine_heartbeats
    FOR EACH ROW EXECUTE FUNCTION another_engine_voids();

CREATE FUNCTION other_tolerances_void() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM certificates c
                WHERE c.body->>'tolerances_sha256' <> NEW.body->>'tolerances_sha256'
                  AND NOT EXISTS (SELECT 1 FROM certificate_voids v
                                   WHERE v.certificate_id = c.id)) THEN
        PERFORM void_certificates('the tolerances were changed', 'a report');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER other_tolerances_void AFTER INSERT ON readiness_reports
    FOR EACH ROW EXECUTE FUNCTION other_tolerances_void();

-- --- the flip ------------------------------------------------------------------------------------

-- Why swarm may not be appointed now; NULL: it may. The one answer for people, programs and triggers.
CREATE FUNCTION cutover_refusal() RETURNS text LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE
    c certificates;
    void certificate_voids;
    problem text;
BEGIN
    SELECT * INTO c FROM certificates ORDER BY id DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN 'there is no cutover certificate: the readiness gates have not passed';
    END IF;
    problem := clock_behind();
    IF problem IS NOT NULL THEN RETURN problem; END IF;
    SELECT * INTO void FROM certificate_voids WHERE certificate_id = c.id;
    IF FOUND THEN
        RETURN 'certificate ' || c.id || ' is void since ' || in_utc(void.at) || ': ' || void.reason
               || ' (by ' || void.actor || ')';
    END IF;
    IF c.hash <> certificate_hash(c) OR c.previous_hash <> coalesce(
        (SELECT hash FROM certificates WHERE id = c.id - 1), repeat('0', 64)) THEN
        RETURN 'certificate ' || c.id || ' was changed after it was issued';
    END IF;
    IF clock_timestamp() >= c.valid_until THEN
        RETURN 'certificate ' || c.id || ' expired at ' || in_utc(c.valid_until);
    END IF;
    problem := runs_another(c.engine);
    IF problem IS NOT NULL THEN
        RETURN 'certificate ' || c.id || ' is of engine ' || c.engine || ', but ' || problem;
    END IF;
    IF running_parts(c.engine) IS NULL THEN
        RETURN 'no worker says which engine it is: certificate ' || c.id || ' is of engine '
               || c.engine || ', and no running worker is';
    END IF;
    RETURN NULL;
END $$;

-- The first appointment of a fresh database is nobody's cutover; a history cannot be taken back.
CREATE FUNCTION swarm_needs_a_certificate() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
DECLARE problem text;
BEGIN
    IF EXISTS (SELECT 1 FROM publisher_history) THEN
        problem := cutover_refusal();
        IF problem IS NOT NULL THEN
            RAISE EXCEPTION 'swarm may not become the publisher: %', problem;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER swarm_needs_a_certificate BEFORE INSERT ON publisher_control
    FOR EACH ROW WHEN (NEW.active = 'swarm') EXECUTE FUNCTION swarm_needs_a_certificate();
CREATE TRIGGER swarm_needs_a_certificate_again BEFORE UPDATE ON publisher_control
    FOR EACH ROW WHEN (NEW.active = 'swarm'
                       AND (OLD.active, OLD.epoch) IS DISTINCT FROM (NEW.active, NEW.epoch))
    EXECUTE FUNCTION swarm_needs_a_certificate();

REVOKE ALL ON FUNCTION issue_certificate(bigint) FROM PUBLIC;
