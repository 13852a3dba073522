-- Work orders, their attempts, and everything that explains them (promises 1, 4 and 6).

CREATE TABLE work_orders (
    key             text PRIMARY KEY CHECK (key ~ '^wo_[a-z2-7]{24}$'),
    original_id     text NOT NULL UNIQUE,
    body            jsonb NOT NULL,                       -- the WorkOrder noun
    state           text NOT NULL DEFAULT 'accepted'
                    CHECK (state IN ('accepted', 'running', 'publishing',
                                     'published', 'escalated', 'held', 'dead')),
    state_reason    text NOT NULL DEFAULT '',
    tier            smallint NOT NULL DEFAULT 1 CHECK (tier BETWEEN 1 AND 3),
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    final_at        timestamptz,
    CHECK ((final_at IS NOT NULL) = (state IN ('published', 'escalated', 'held', 'dead')))
);
CREATE INDEX work_orders_by_state ON work_orders (state, accepted_at);

-- ES-02: the tier never decreases, whoever writes.
CREATE FUNCTION refuse_lower_tier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ES-02: tier of % may not fall from % to %', OLD.key, OLD.tier, NEW.tier;
END $$;
CREATE TRIGGER tier_never_falls BEFORE UPDATE OF tier ON work_orders
    FOR EACH ROW WHEN (NEW.tier < OLD.tier) EXECUTE FUNCTION refuse_lower_tier();

CREATE TABLE swarm_jobs (
    work_order_key  text PRIMARY KEY REFERENCES work_orders (key),
    state           text NOT NULL DEFAULT 'queued'
                    CHECK (state IN ('queued', 'requested', 'running', 'done', 'dead')),
    attempt         integer NOT NULL DEFAULT 0,           -- grows with every request: the run_key
    failures        integer NOT NULL DEFAULT 0,           -- runs that started and failed or vanished
    token           bigint NOT NULL DEFAULT 0,            -- the fence: grows when a run opens the job
    run_id          text,                                 -- holder of the current token
    stage           text,                                 -- last stage written, for people to look at
    not_before      timestamptz NOT NULL DEFAULT now(),
    requested_at    timestamptz,
    lease_until     timestamptz,
    heartbeat_at    timestamptz,
    last_error      text NOT NULL DEFAULT '',
    dead_reason     text NOT NULL DEFAULT '',
    queued_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX swarm_jobs_due ON swarm_jobs (state, not_before);

CREATE TABLE workflow_runs (
    run_id          text PRIMARY KEY,
    work_order_key  text NOT NULL REFERENCES work_orders (key),
    attempt         integer NOT NULL,
    token           bigint NOT NULL,
    started_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    outcome         text CHECK (outcome IN ('publishing', 'published', 'escalated', 'held', 'failed', 'fenced')),
    UNIQUE (work_order_key, token)
);

CREATE TABLE workflow_events (
    work_order_key  text NOT NULL REFERENCES work_orders (key),
    seq             integer NOT NULL,
    attempt         integer NOT NULL,
    run_id          text NOT NULL,
    kind            text NOT NULL,
    stage           text,
    actor           text NOT NULL,
    detail          jsonb NOT NULL,
    duration_ms     integer,
    cost            double precision,
    at              timestamptz NOT NULL,
    previous_hash   text NOT NULL,
    hash            text NOT NULL,
    PRIMARY KEY (work_order_key, seq)
);

CREATE TABLE artifacts (
    work_order_key  text NOT NULL REFERENCES work_orders (key),
    stage           text NOT NULL,
    token           bigint NOT NULL,
    attempt         integer NOT NULL,
    run_id          text NOT NULL,
    body            jsonb NOT NULL,
    sha256          text NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_key, stage, token)
);

-- ES-15: one ruling per (rule, version, draft, evidence), for ever.
CREATE TABLE verdicts (
    rule            text NOT NULL,
    version         text NOT NULL,
    draft_sha256    text NOT NULL,
    evidence_sha256 text NOT NULL,
    ruling          text NOT NULL CHECK (ruling IN ('pass', 'fail', 'error')),
    reasons         jsonb NOT NULL DEFAULT '[]',
    decided_by      text NOT NULL,
    work_order_key  text NOT NULL REFERENCES work_orders (key),
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (draft_sha256, evidence_sha256, rule, version)
);
CREATE INDEX verdicts_by_work_order ON verdicts (work_order_key);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END $$;
CREATE TRIGGER verdicts_are_immutable BEFORE UPDATE OR DELETE ON verdicts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_are_immutable BEFORE UPDATE OR DELETE ON workflow_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE model_calls (
    work_order_key  text NOT NULL REFERENCES work_orders (key),
    purpose         text NOT NULL,
    request_sha256  text NOT NULL,
    model           text NOT NULL,
    prompt_sha256   text NOT NULL,
    answer          jsonb NOT NULL,
    input_tokens    integer,
    output_tokens   integer,
    cost            double precision NOT NULL DEFAULT 0,
    latency_ms      integer NOT NULL DEFAULT 0,
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_key, purpose, request_sha256)
);

-- ES-22: every escalation has an owner and a time by which somebody must have looked.
CREATE TABLE escalations (
    work_order_key  text PRIMARY KEY REFERENCES work_orders (key),
    classes         jsonb NOT NULL,
    reasons         jsonb NOT NULL,
    owner           text NOT NULL,
    received_at     timestamptz NOT NULL,
    acknowledge_by  timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text
);

-- The outbox of alerts: written in the transaction that found the trouble, delivered later.
CREATE TABLE alerts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,
    subject         text NOT NULL,                        -- work-order key or component; never mail text
    detail          text NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz,
    resolved_at     timestamptz
);
CREATE UNIQUE INDEX alerts_fire_once ON alerts (kind, subject) WHERE resolved_at IS NULL;
