-- One ledger for both publishers: the work order is the primary key, for ever (promise 2).

CREATE TABLE publisher_control (
    id              smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    active          text NOT NULL CHECK (active IN ('legacy', 'swarm', 'none')),
    epoch           bigint NOT NULL,
    reason          text NOT NULL,
    actor           text NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);
INSERT INTO publisher_control (active, epoch, reason, actor)
VALUES ('none', 0, 'nobody was appointed yet', 'migration');

CREATE TABLE publisher_history (
    epoch           bigint PRIMARY KEY,
    active          text NOT NULL,
    reason          text NOT NULL,
    actor           text NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE publication_payload (
    work_order_key  text NOT NULL REFERENCES work_orders (key),
    publisher       text NOT NULL CHECK (publisher IN ('legacy', 'swarm')),
    sha256          text NOT NULL,                        -- of the canonical JSON of body
    draft_sha256    text NOT NULL,
    evidence_sha256 text NOT NULL,
    ruleset         text NOT NULL,
    body            jsonb NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_key, publisher)
);

CREATE TABLE publication_ledger (
    work_order_key  text PRIMARY KEY REFERENCES work_orders (key),
    publisher       text NOT NULL CHECK (publisher IN ('legacy', 'swarm', 'none')),
    state           text NOT NULL
                    CHECK (state IN ('PENDING_PAYLOAD', 'READY', 'SENDING', 'ACCEPTED',
                                     'UNKNOWN', 'CONFIRMED', 'HELD', 'DEAD')),
    fence           bigint NOT NULL DEFAULT 0,
    delivered_fence bigint,
    epoch           bigint NOT NULL,
    owner_host      text,
    owner_pid       integer,
    owner_starttime bigint,
    payload_sha256  text,
    intent_at       timestamptz,
    http_status     integer,
    zap_request_id  text,
    draft_id        text,
    draft_folder    text,
    not_before      timestamptz,
    attempts        integer NOT NULL DEFAULT 0,
    ever_uncertain  boolean NOT NULL DEFAULT false,       -- some fence was ever UNKNOWN or ACCEPTED
    last_error      text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX publication_ledger_by_state ON publication_ledger (state, not_before);

CREATE TABLE publication_log (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_order_key  text NOT NULL,
    fence           bigint NOT NULL,
    event           text NOT NULL,
    detail          text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER publication_log_is_immutable BEFORE UPDATE OR DELETE ON publication_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
