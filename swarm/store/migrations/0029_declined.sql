-- A fifth final state: declined. Nothing here can answer the mail, a person writes, and no danger was
-- seen. It has an owner and a time like an escalation, and no class.

ALTER TABLE work_orders DROP CONSTRAINT work_orders_state_check;
ALTER TABLE work_orders ADD CONSTRAINT work_orders_state_check CHECK (state IN
    ('accepted', 'running', 'publishing', 'published', 'escalated', 'declined', 'held', 'dead'));
ALTER TABLE work_orders DROP CONSTRAINT work_orders_check;
ALTER TABLE work_orders ADD CONSTRAINT work_orders_check CHECK
    ((final_at IS NOT NULL) = (state IN ('published', 'escalated', 'declined', 'held', 'dead')));

ALTER TABLE workflow_runs DROP CONSTRAINT workflow_runs_outcome_check;
ALTER TABLE workflow_runs ADD CONSTRAINT workflow_runs_outcome_check CHECK (outcome IN
    ('publishing', 'published', 'escalated', 'declined', 'held', 'failed', 'fenced', 'left'));

ALTER TABLE releases DROP CONSTRAINT releases_from_state_check;
ALTER TABLE releases ADD CONSTRAINT releases_from_state_check CHECK (from_state IN
    ('escalated', 'declined', 'held', 'dead'));

CREATE OR REPLACE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'accepted' AND OLD.state IN ('escalated', 'declined', 'held')
       AND EXISTS (SELECT 1 FROM releases WHERE work_order_key = OLD.key AND at = now()) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'work order % is final (%): it may not become %', OLD.key, OLD.state, NEW.state;
END $$;

DROP TRIGGER final_states_stay ON work_orders;
CREATE TRIGGER final_states_stay BEFORE UPDATE OF state ON work_orders
    FOR EACH ROW WHEN (
        OLD.state IN ('published', 'escalated', 'declined', 'held', 'dead')
        AND NEW.state <> OLD.state
        AND NOT (OLD.state = 'held' AND NEW.state = 'published')
        AND NOT (OLD.state = 'dead' AND NEW.state = 'accepted'))
    EXECUTE FUNCTION refuse_reopening();
