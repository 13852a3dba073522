-- What never became a work order, and why: counted, listed, found and brought in (promise 1).
-- Sender and subject are for the person who asks; they stand in no alert and no log.
CREATE TABLE sorted_out (
    key             text PRIMARY KEY CHECK (key ~ '^wo_[a-z2-7]{24}$'),  -- what its work order would have
    original_id     text NOT NULL UNIQUE,
    reason          text NOT NULL,
    sender          text NOT NULL DEFAULT '',
    subject         text NOT NULL DEFAULT '',
    received_at     timestamptz,
    at              timestamptz NOT NULL DEFAULT now(),
    seen_at         timestamptz,                          -- a person looked and left it out
    seen_by         text,
    taken_at        timestamptz,                          -- a person brought it in
    taken_by        text
);
CREATE INDEX sorted_out_open ON sorted_out (reason, at) WHERE taken_at IS NULL;

-- A bad line leaves quarantine by being read after all, or by a person who says that it may stay out.
-- The row stays either way until then: every line of the stream is counted.
ALTER TABLE quarantine
    ADD COLUMN discarded_at   timestamptz,
    ADD COLUMN discarded_by   text,
    ADD COLUMN discard_reason text,
    ADD CHECK ((discarded_at IS NULL) = (discarded_by IS NULL)),
    ADD CHECK ((discarded_at IS NULL) = (discard_reason IS NULL));

-- One alert an incident, however many times it happens.
ALTER TABLE alerts ADD COLUMN count integer NOT NULL DEFAULT 1;
UPDATE alerts a
   SET count = greatest(1, (SELECT count(*) FROM quarantine q
                             WHERE q.stream || ':' || q.generation = a.subject))
 WHERE a.kind = 'intake.quarantined' AND a.resolved_at IS NULL;
