-- Who wrote a row, as the database saw it: no program and no person can say otherwise. `writer` is the
-- login of the last change; what another login than our services' ever wrote stays in
-- `foreign_writes`, row by row. Rows from before this file are 'before', and nobody is accused.

-- The logins whose writing is the services' own: kept by the migrator (swarm.store.grants).
CREATE TABLE service_writers (
    writer          text PRIMARY KEY,
    since           timestamptz NOT NULL DEFAULT clock_timestamp(),
    until           timestamptz                           -- NULL: it still is
);

CREATE TABLE foreign_writes (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name      text NOT NULL,
    work_order_key  text,
    subject         text NOT NULL,                        -- of a row that names no work order
    operation       text NOT NULL CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE')),
    writer          text NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER foreign_writes_are_immutable BEFORE UPDATE OR DELETE ON foreign_writes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION stamp_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.writer := session_user;
    RETURN NEW;
END $$;

-- Runs with the rights of whoever writes: a stranger who may not leave a note may not write either.
-- The services come first, because they write all day (asking in the trigger's WHEN would cost more).
-- A migration that changes rows is the owner's work and says so in its session.
CREATE FUNCTION note_foreign_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said jsonb;
BEGIN
    IF session_user IN ('swarm_worker', 'swarm_replay', 'swarm_gates', 'swarm_keeper') THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT 1 FROM swarm.service_writers WHERE writer = session_user AND until IS NULL)
       OR (current_setting('swarm.migrating', true) = 'on' AND session_user =
           (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)) THEN
        RETURN NULL;
    END IF;
    said := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    INSERT INTO swarm.foreign_writes (table_name, work_order_key, subject, operation, writer)
    VALUES (TG_TABLE_NAME, coalesce(said->>'work_order_key', said->>'key'),
            coalesce(said->>'id', said->>'epoch', said->>'report_id', said->>'certificate_id',
                     said->>'process', said->>'at', ''), TG_OP, session_user);
    RETURN NULL;
END $$;

ALTER TABLE work_orders ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE work_orders ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER work_orders_has_its_writer BEFORE INSERT OR UPDATE ON work_orders
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER work_orders_notes_others AFTER INSERT OR UPDATE OR DELETE ON work_orders
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE swarm_jobs ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE swarm_jobs ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER swarm_jobs_has_its_writer BEFORE INSERT OR UPDATE ON swarm_jobs
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER swarm_jobs_notes_others AFTER INSERT OR UPDATE OR DELETE ON swarm_jobs
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE workflow_runs ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE workflow_runs ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER workflow_runs_has_its_writer BEFORE INSERT OR UPDATE ON workflow_runs
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER workflow_runs_notes_others AFTER INSERT OR UPDATE OR DELETE ON workflow_runs
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE intake_line ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE intake_line ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER intake_line_has_its_writer BEFORE INSERT OR UPDATE ON intake_line
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER intake_line_notes_others AFTER INSERT OR UPDATE OR DELETE ON intake_line
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE artifacts ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE artifacts ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER artifacts_has_its_writer BEFORE INSERT OR UPDATE ON artifacts
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER artifacts_notes_others AFTER INSERT OR UPDATE OR DELETE ON artifacts
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE publication_ledger ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE publication_ledger ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER publication_ledger_has_its_writer BEFORE INSERT OR UPDATE ON publication_ledger
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER publication_ledger_notes_others AFTER INSERT OR UPDATE OR DELETE ON publication_ledger
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE publication_payload ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE publication_payload ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER publication_payload_has_its_writer BEFORE INSERT OR UPDATE ON publication_payload
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER publication_payload_notes_others AFTER INSERT OR UPDATE OR DELETE ON publication_payload
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE publisher_control ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE publisher_control ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER publisher_control_has_its_writer BEFORE INSERT OR UPDATE ON publisher_control
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER publisher_control_notes_others AFTER INSERT OR UPDATE OR DELETE ON publisher_control
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE escalations ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE escalations ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER escalations_has_its_writer BEFORE INSERT OR UPDATE ON escalations
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER escalations_notes_others AFTER INSERT OR UPDATE OR DELETE ON escalations
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE legacy_outcomes ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE legacy_outcomes ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER legacy_outcomes_has_its_writer BEFORE INSERT OR UPDATE ON legacy_outcomes
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER legacy_outcomes_notes_others AFTER INSERT OR UPDATE OR DELETE ON legacy_outcomes
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE reply_outcomes ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE reply_outcomes ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER reply_outcomes_has_its_writer BEFORE INSERT OR UPDATE ON reply_outcomes
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER reply_outcomes_notes_others AFTER INSERT OR UPDATE OR DELETE ON reply_outcomes
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE history_orders ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE history_orders ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER history_orders_has_its_writer BEFORE INSERT OR UPDATE ON history_orders
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER history_orders_notes_others AFTER INSERT OR UPDATE OR DELETE ON history_orders
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE replays ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE replays ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER replays_has_its_writer BEFORE INSERT OR UPDATE ON replays
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER replays_notes_others AFTER INSERT OR UPDATE OR DELETE ON replays
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE comparisons ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE comparisons ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER comparisons_has_its_writer BEFORE INSERT OR UPDATE ON comparisons
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER comparisons_notes_others AFTER INSERT OR UPDATE OR DELETE ON comparisons
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE engine_heartbeats ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE engine_heartbeats ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER engine_heartbeats_has_its_writer BEFORE INSERT OR UPDATE ON engine_heartbeats
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER engine_heartbeats_notes_others AFTER INSERT OR UPDATE OR DELETE ON engine_heartbeats
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE workflow_events ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE workflow_events ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER workflow_events_has_its_writer BEFORE INSERT OR UPDATE ON workflow_events
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER workflow_events_notes_others AFTER INSERT OR UPDATE OR DELETE ON workflow_events
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE verdicts ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE verdicts ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER verdicts_has_its_writer BEFORE INSERT OR UPDATE ON verdicts
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER verdicts_notes_others AFTER INSERT OR UPDATE OR DELETE ON verdicts
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE publication_log ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE publication_log ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER publication_log_has_its_writer BEFORE INSERT OR UPDATE ON publication_log
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER publication_log_notes_others AFTER INSERT OR UPDATE OR DELETE ON publication_log
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE publisher_history ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE publisher_history ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER publisher_history_has_its_writer BEFORE INSERT OR UPDATE ON publisher_history
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER publisher_history_notes_others AFTER INSERT OR UPDATE OR DELETE ON publisher_history
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE releases ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE releases ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER releases_has_its_writer BEFORE INSERT OR UPDATE ON releases
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER releases_notes_others AFTER INSERT OR UPDATE OR DELETE ON releases
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE danger_labels ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE danger_labels ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER danger_labels_has_its_writer BEFORE INSERT OR UPDATE ON danger_labels
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER danger_labels_notes_others AFTER INSERT OR UPDATE OR DELETE ON danger_labels
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE looks ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE looks ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER looks_has_its_writer BEFORE INSERT OR UPDATE ON looks
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER looks_notes_others AFTER INSERT OR UPDATE OR DELETE ON looks
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE readiness_reports ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE readiness_reports ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER readiness_reports_has_its_writer BEFORE INSERT OR UPDATE ON readiness_reports
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER readiness_reports_notes_others AFTER INSERT OR UPDATE OR DELETE ON readiness_reports
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE gate_results ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE gate_results ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER gate_results_has_its_writer BEFORE INSERT OR UPDATE ON gate_results
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER gate_results_notes_others AFTER INSERT OR UPDATE OR DELETE ON gate_results
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE certificates ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE certificates ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER certificates_has_its_writer BEFORE INSERT OR UPDATE ON certificates
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER certificates_notes_others AFTER INSERT OR UPDATE OR DELETE ON certificates
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE certificate_voids ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE certificate_voids ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER certificate_voids_has_its_writer BEFORE INSERT OR UPDATE ON certificate_voids
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER certificate_voids_notes_others AFTER INSERT OR UPDATE OR DELETE ON certificate_voids
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE model_calls ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE model_calls ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER model_calls_has_its_writer BEFORE INSERT OR UPDATE ON model_calls
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER model_calls_notes_others AFTER INSERT OR UPDATE OR DELETE ON model_calls
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();

ALTER TABLE history_imports ADD COLUMN writer text NOT NULL DEFAULT 'before';
ALTER TABLE history_imports ALTER COLUMN writer SET DEFAULT session_user;
CREATE TRIGGER history_imports_has_its_writer BEFORE INSERT OR UPDATE ON history_imports
    FOR EACH ROW EXECUTE FUNCTION stamp_writer();
CREATE TRIGGER history_imports_notes_others AFTER INSERT OR UPDATE OR DELETE ON history_imports
    FOR EACH ROW EXECUTE FUNCTION note_foreign_write();
