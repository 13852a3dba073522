-- One ledger for both publishers: the work order is the primary key, for ever (promise 2).
-- None of these tables references work_orders: today's sender may be ahead of our intake, and it
-- must be able to publish while ours stands still.

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
    database_user   text NOT NULL DEFAULT session_user,
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER publisher_history_is_immutable BEFORE UPDATE OR DELETE ON publisher_history
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Legacy's right to go on without Postgres. While one is not released, 'swarm' cannot be appointed.
CREATE TABLE publisher_lease (
    id              smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    holder          text NOT NULL,                        -- names one journal; no other may settle it
    epoch           bigint NOT NULL,
    lease_until     timestamptz NOT NULL,
    renewable       boolean NOT NULL DEFAULT true,        -- false: somebody wants to switch away
    released_at     timestamptz                           -- set once the journal is settled
);

CREATE TABLE publication_payload (
    work_order_key  text NOT NULL CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
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
    work_order_key  text PRIMARY KEY CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    publisher       text NOT NULL CHECK (publisher IN ('legacy', 'swarm', 'none')),
    state           text NOT NULL
                    CHECK (state IN ('PENDING_PAYLOAD', 'READY', 'SENDING', 'ACCEPTED',
                                     'UNKNOWN', 'CONFIRMED', 'HELD', 'DEAD')),
    fence           bigint NOT NULL DEFAULT 0,
    delivered_fence bigint,
    epoch           bigint NOT NULL,
    owner_host      text,                                 -- host name and process-id namespace
    owner_boot_id   text,                                 -- a process of an earlier boot is dead
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
    uncertain_posts integer NOT NULL DEFAULT 0 CHECK (uncertain_posts <= 2),
    look_at         timestamptz,                          -- when to look into the mailbox next
    last_error      text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),   -- of the state; settling counts from here
    CHECK ((publisher <> 'none') OR state <> 'READY')
);
CREATE INDEX publication_ledger_by_state ON publication_ledger (state, not_before);
CREATE INDEX publication_ledger_to_look_at ON publication_ledger (look_at)
    WHERE look_at IS NOT NULL;

CREATE TABLE publication_log (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_order_key  text NOT NULL,
    fence           bigint NOT NULL,
    event           text NOT NULL,
    detail          text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX publication_log_by_work_order ON publication_log (work_order_key, id);
CREATE TRIGGER publication_log_is_immutable BEFORE UPDATE OR DELETE ON publication_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- For the same reason a verdict of today's policy may be stored before our intake has read the mail.
ALTER TABLE verdicts DROP CONSTRAINT verdicts_work_order_key_fkey;
