-- The head of each work order's event chain, kept in the row that every writer locks first: seq
-- cannot race, and a chain cut off at its end no longer matches its head (ES-23).

ALTER TABLE work_orders
    ADD COLUMN chain_seq  integer NOT NULL DEFAULT 0,
    ADD COLUMN chain_hash text NOT NULL DEFAULT repeat('0', 64);

-- Promise 1: a final state is final, whoever writes. Two exceptions: a draft turns up for a held
-- publication, and a person replays a dead letter.
CREATE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'work order % is final (%): it may not become %', OLD.key, OLD.state, NEW.state;
END $$;
CREATE TRIGGER final_states_stay BEFORE UPDATE OF state ON work_orders
    FOR EACH ROW WHEN (
        OLD.state IN ('published', 'escalated', 'held', 'dead')
        AND NEW.state <> OLD.state
        AND NOT (OLD.state = 'held' AND NEW.state = 'published')
        AND NOT (OLD.state = 'dead' AND NEW.state = 'accepted'))
    EXECUTE FUNCTION refuse_reopening();

CREATE INDEX swarm_jobs_by_lease ON swarm_jobs (lease_until) WHERE state = 'running';
CREATE INDEX escalations_open ON escalations (acknowledge_by) WHERE acknowledged_at IS NULL;
CREATE INDEX alerts_undelivered ON alerts (id) WHERE delivered_at IS NULL;
