-- The proof that allows a cutover: reports, what each gate said of them, certificates. All of it is
-- append-only; a certificate is ended by another row, never by a change.

-- Which engine each running process is, told by the process itself. The flip reads it.
CREATE TABLE engine_heartbeats (
    process         text PRIMARY KEY,                     -- a process identity
    role            text NOT NULL,                        -- 'workers', 'publisher', ...
    engine          text NOT NULL,
    parts           jsonb NOT NULL,                       -- the Engine noun
    started_at      timestamptz NOT NULL DEFAULT now(),
    at              timestamptz NOT NULL DEFAULT now()
);

-- When the gates may be asked for a certificate. Planned ahead: who looks until it fits proves nothing.
CREATE TABLE looks (
    at              timestamptz PRIMARY KEY,
    planned_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor           text NOT NULL,
    database_user   text NOT NULL DEFAULT session_user,
    CHECK (at > planned_at)
);
CREATE TRIGGER looks_are_immutable BEFORE UPDATE OR DELETE ON looks
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE readiness_reports (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    engine          text NOT NULL,
    look            timestamptz UNIQUE REFERENCES looks (at),   -- NULL: looked at in between
    window_from     timestamptz NOT NULL,
    window_to       timestamptz NOT NULL,
    taken_at        timestamptz NOT NULL,                 -- of the snapshot it was read in
    body            jsonb NOT NULL,                       -- the ReadinessReport noun
    sha256          text NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER readiness_reports_are_immutable BEFORE UPDATE OR DELETE ON readiness_reports
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE gate_results (
    report_id       bigint NOT NULL REFERENCES readiness_reports (id),
    gate            text NOT NULL,
    verdict         text NOT NULL CHECK (verdict IN ('PASS', 'FAIL', 'INCONCLUSIVE')),
    body            jsonb NOT NULL,                       -- the GateResult noun
    PRIMARY KEY (report_id, gate)
);
CREATE TRIGGER gate_results_are_immutable BEFORE UPDATE OR DELETE ON gate_results
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE certificates (
    id              bigint PRIMARY KEY,                   -- previous + 1; a gap is a loss
    report_id       bigint NOT NULL UNIQUE REFERENCES readiness_reports (id),
    engine          text NOT NULL,
    body            jsonb NOT NULL,                       -- the Certificate noun
    issued_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until     timestamptz NOT NULL,
    previous_hash   text NOT NULL,
    hash            text NOT NULL
);
CREATE TRIGGER certificates_are_immutable BEFORE UPDATE OR DELETE ON certificates
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE certificate_voids (
    certificate_id  bigint PRIMARY KEY REFERENCES certificates (id),
    reason          text NOT NULL,
    actor           text NOT NULL,
    database_user   text NOT NULL DEFAULT session_user,
    at              timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER certificate_voids_are_immutable BEFORE UPDATE OR DELETE ON certificate_voids
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
