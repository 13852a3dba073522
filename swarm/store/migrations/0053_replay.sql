-- What a replay paid for itself. Apart from model_calls, which belong to live work orders: imported
-- history has none.
CREATE TABLE replay_model_calls (
    work_order_key  text NOT NULL CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    purpose         text NOT NULL,
    request_sha256  text NOT NULL,
    pass            smallint NOT NULL DEFAULT 1 CHECK (pass IN (1, 2)),
    body            jsonb NOT NULL,                       -- the ModelCall noun
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_key, purpose, request_sha256, pass)
);

-- A work order may be erased while it is replayed: what comes of it afterwards is not kept. Locks
-- the order as a foreign key would, which cannot point at two tables; runs with its owner's rights,
-- because whoever replays may not lock work orders.
CREATE FUNCTION only_of_known_work_orders() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    PERFORM 1 FROM work_orders WHERE key = NEW.work_order_key FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM 1 FROM history_orders WHERE work_order_key = NEW.work_order_key FOR KEY SHARE;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER replays_are_of_known_work_orders BEFORE INSERT ON replays
    FOR EACH ROW EXECUTE FUNCTION only_of_known_work_orders();
CREATE TRIGGER replay_calls_are_of_known_work_orders BEFORE INSERT ON replay_model_calls
    FOR EACH ROW EXECUTE FUNCTION only_of_known_work_orders();
CREATE TRIGGER comparisons_are_of_known_work_orders BEFORE INSERT ON comparisons
    FOR EACH ROW EXECUTE FUNCTION only_of_known_work_orders();
CREATE TRIGGER labels_are_of_known_work_orders BEFORE INSERT ON danger_labels
    FOR EACH ROW EXECUTE FUNCTION only_of_known_work_orders();

-- Which engine judged a live work order, as the run itself said (workflow_events, stage policy).
CREATE INDEX danger_labels_by_time ON danger_labels (at);

-- Told apart at the import, so that a plan can draw evenly without reading every mail.
ALTER TABLE history_orders ADD COLUMN language text NOT NULL DEFAULT 'und';

-- What is to be replayed: a sensor makes partitions of these rows and takes both away again.
CREATE TABLE replay_plan (
    work_order_key  text PRIMARY KEY CHECK (work_order_key ~ '^wo_[a-z2-7]{24}$'),
    twice           boolean NOT NULL DEFAULT false,       -- for the noise floor
    actor           text NOT NULL,
    planned_at      timestamptz NOT NULL DEFAULT now(),
    added_at        timestamptz                           -- NULL: no partition yet
);
CREATE TRIGGER plans_are_of_known_work_orders BEFORE INSERT ON replay_plan
    FOR EACH ROW EXECUTE FUNCTION only_of_known_work_orders();
