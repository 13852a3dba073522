-- While a work order waits for its run, a prefetcher may ask the model what that run will ask, so that
-- the run finds every answer on record. A claim says who does; it promises nothing: a run that finds no
-- answer asks for itself. One row per work order, for the newest attempt that was thought ahead of.
CREATE TABLE prefetches (
    work_order_key  text PRIMARY KEY REFERENCES work_orders (key),
    attempt         integer NOT NULL,             -- the queue's attempt that will find the answers
    tries           integer NOT NULL DEFAULT 1,   -- a second prefetcher takes it once, no third does
    owner           text NOT NULL,
    state           text NOT NULL DEFAULT 'taken' CHECK (state IN ('taken', 'done', 'left')),
    why             text NOT NULL DEFAULT '',     -- left: our sentence
    lease_until     timestamptz NOT NULL,
    began_at        timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    CHECK ((ended_at IS NULL) = (state = 'taken'))
);
CREATE INDEX prefetches_taken ON prefetches (lease_until) WHERE state = 'taken';

-- Who thinks ahead at present; when it falls silent, runs are requested as if there were none.
CREATE TABLE prefetchers (
    host            text PRIMARY KEY,
    owner           text NOT NULL,
    seen_at         timestamptz NOT NULL
);

-- When a model may be asked next: one pace for all processes of all hosts.
CREATE TABLE model_paces (
    name            text PRIMARY KEY,             -- as in model_endpoints
    next_at         timestamptz NOT NULL
);

ALTER TABLE model_calls ADD COLUMN ahead boolean NOT NULL DEFAULT false;

-- Which run found what: answered ahead, or missed although its prefetch was done.
CREATE FUNCTION tally_model_answer() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    INSERT INTO tally_deltas
    VALUES ('model_answers', ARRAY[NEW.model, CASE WHEN NEW.ahead THEN 'ahead' ELSE 'run' END], 1);
    IF NOT NEW.ahead AND EXISTS (SELECT 1 FROM prefetches WHERE work_order_key = NEW.work_order_key
                                    AND state = 'done') THEN
        INSERT INTO tally_deltas VALUES ('model_answers', ARRAY[NEW.model, 'missed'], 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER model_answers_are_tallied AFTER INSERT ON model_calls
    FOR EACH ROW EXECUTE FUNCTION tally_model_answer();

CREATE FUNCTION tally_prefetch() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
BEGIN
    INSERT INTO tally_deltas VALUES ('prefetches', ARRAY[NEW.state], 1);
    RETURN NULL;
END $$;
CREATE TRIGGER prefetches_are_tallied AFTER UPDATE OF state ON prefetches
    FOR EACH ROW WHEN (NEW.state <> 'taken' AND OLD.state = 'taken') EXECUTE FUNCTION tally_prefetch();

-- An answer that came when another was on record already: the first one stays, this one was paid too.
CREATE FUNCTION count_paid_twice(model text) RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = swarm, pg_temp AS $$
    INSERT INTO tally_deltas VALUES ('model_answers', ARRAY[model, 'twice'], 1)
$$;

INSERT INTO tallies SELECT 'model_answers', ARRAY[model, 'run'], count(*) FROM model_calls GROUP BY model;
