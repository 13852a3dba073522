-- Three things are set side by side for each work order: what legacy decided, what the new path
-- decides over the same inputs, and what a person really did. Nothing here is an act: no row of this
-- file lets anything be published, and imported history never becomes a live job.

-- What today's path made of a work order, escalations too; read from its outbox, or imported.
CREATE TABLE legacy_outcomes (
    work_order_key  text PRIMARY KEY CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    origin          text NOT NULL CHECK (origin IN ('live', 'history')),
    escalated       boolean NOT NULL,
    reasons         jsonb NOT NULL,
    recipient       text NOT NULL,
    subject         text NOT NULL,
    body_text       text NOT NULL,
    policy_version  text NOT NULL,
    line_sha256     text NOT NULL,
    decided_at      timestamptz,                          -- NULL: its file does not say when
    read_at         timestamptz NOT NULL DEFAULT now()
);

-- What became of the draft that was offered, whoever made it; and what was sent when none was.
CREATE TABLE reply_outcomes (
    work_order_key  text PRIMARY KEY CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    origin          text NOT NULL CHECK (origin IN ('live', 'history')),
    publisher       text CHECK (publisher IN ('legacy', 'swarm')),   -- NULL: no draft was offered
    act             text NOT NULL DEFAULT 'open'
                    CHECK (act IN ('open', 'sent_unchanged', 'sent_edited', 'rewritten', 'discarded',
                                   'answered_otherwise', 'unknown')),
    detail          text NOT NULL DEFAULT '',             -- in words of ours, no mail text
    similarity      double precision CHECK (similarity BETWEEN 0 AND 1),
    offered_at      timestamptz,
    acted_at        timestamptz,                          -- when it was sent, or first seen gone
    sent_text       text,                                 -- what the customer got; a person's words
    conversation_id text,
    looks           integer NOT NULL DEFAULT 0,
    look_at         timestamptz,                          -- when to look next; NULL: settled
    changed_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reply_outcomes_to_look_at ON reply_outcomes (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX reply_outcomes_by_conversation ON reply_outcomes (conversation_id);

CREATE TABLE history_imports (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor           text NOT NULL,
    mapping_sha256  text NOT NULL,
    files           jsonb NOT NULL,                       -- name, size and hash of each
    counts          jsonb NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);

-- Work orders of before: inputs of a replay, and nothing else. No job, no state, no fence.
CREATE TABLE history_orders (
    work_order_key  text PRIMARY KEY CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    original_id     text NOT NULL UNIQUE,
    body            jsonb NOT NULL,                       -- the WorkOrder noun
    received_at     timestamptz NOT NULL,
    thread          jsonb,                                -- the Thread noun as of then; NULL: not known
    crm             jsonb,                                -- the Crm noun, as of now; NULL: not known
    import_id       bigint NOT NULL REFERENCES history_imports (id)
);
CREATE INDEX history_orders_by_time ON history_orders (received_at);

-- Whether a person was needed, as somebody who read the mail says. The newest word counts.
CREATE TABLE danger_labels (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_order_key  text NOT NULL CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    classes         jsonb NOT NULL,                       -- [] : no person was needed
    source          text NOT NULL CHECK (source IN ('import', 'person')),
    actor           text NOT NULL,
    reason          text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL DEFAULT now(),
    database_user   text NOT NULL DEFAULT session_user
);
CREATE INDEX danger_labels_by_work_order ON danger_labels (work_order_key, id DESC);

-- The new path run again over recorded inputs by an engine that cannot publish.
CREATE TABLE replays (
    work_order_key  text NOT NULL CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    engine          text NOT NULL,
    pass            smallint NOT NULL DEFAULT 1 CHECK (pass IN (1, 2)),   -- 2: for the noise floor
    body            jsonb NOT NULL,                       -- the Replayed noun
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_key, engine, pass)
);

CREATE TABLE comparisons (
    work_order_key  text NOT NULL CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    engine          text NOT NULL,
    origin          text NOT NULL CHECK (origin IN ('live', 'history')),
    body            jsonb NOT NULL,                       -- the Comparison noun
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_key, engine)
);
CREATE INDEX comparisons_by_engine ON comparisons (engine, at);
