-- A final work order is drafted only by a person's named, recorded release (promises 4 and 6). The
-- last release of a work order is in force. Some rules nobody may take on: what would send, reach
-- somebody else, carry a link or a secret out, or publish what was not judged.
CREATE TABLE releases (
    work_order_key  text NOT NULL REFERENCES work_orders (key),
    number          integer NOT NULL CHECK (number > 0),
    actor           text NOT NULL CHECK (actor ~ '\S'),
    reason          text NOT NULL CHECK (reason ~ '\S'),
    waived          text[] NOT NULL,                      -- rules the person takes on
    from_state      text NOT NULL CHECK (from_state IN ('escalated', 'held', 'dead')),
    revision        integer NOT NULL,                     -- 0: the mail as accepted
    revision_sha256 text,                                 -- of revision; null: the mail as accepted
    no_draft_in_mailbox boolean NOT NULL,                 -- the person has looked
    database_user   text NOT NULL DEFAULT session_user,
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_key, number),
    FOREIGN KEY (work_order_key, revision_sha256) REFERENCES revision,
    CHECK (NOT waived && ARRAY['ES-06', 'ES-09', 'ES-10', 'ES-11', 'ES-14', 'ES-16', 'ES-17',
                               'LEGACY-POLICY'])
);
CREATE TRIGGER releases_are_immutable BEFORE UPDATE OR DELETE ON releases
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A third exception from "a final state is final": the transaction that records a release.
CREATE OR REPLACE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'accepted' AND OLD.state IN ('escalated', 'held')
       AND EXISTS (SELECT 1 FROM releases WHERE work_order_key = OLD.key AND at = now()) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'work order % is final (%): it may not become %', OLD.key, OLD.state, NEW.state;
END $$;

-- A run that a person started and that did not close its work order has not failed.
ALTER TABLE workflow_runs DROP CONSTRAINT workflow_runs_outcome_check;
ALTER TABLE workflow_runs ADD CONSTRAINT workflow_runs_outcome_check CHECK (outcome IN
    ('publishing', 'published', 'escalated', 'held', 'failed', 'fenced', 'left'));

-- A publication that gave up used to leave the job of its work order at rest: no list showed it.
UPDATE swarm_jobs j SET state = 'dead', dead_reason = w.state_reason
  FROM work_orders w
 WHERE w.key = j.work_order_key AND w.state = 'dead' AND j.state = 'done';
