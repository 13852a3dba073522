-- Since when a work order waits for the model: its runs are put off, which counts as no failure.
ALTER TABLE swarm_jobs ADD COLUMN waiting_since timestamptz;
CREATE INDEX swarm_jobs_waiting ON swarm_jobs (not_before) WHERE waiting_since IS NOT NULL;

-- What is known of a model behind an endpoint: what it can do, and whether it answers.
CREATE TABLE model_endpoints (
    name        text PRIMARY KEY,                    -- provider, model and host; never a key
    abilities   jsonb,                               -- found once; NULL: not found yet
    troubles    integer NOT NULL DEFAULT 0,          -- calls in a row that gave no answer
    trouble     text NOT NULL DEFAULT '',            -- the last of them, in words
    trouble_at  timestamptz,
    broken      boolean NOT NULL DEFAULT false       -- an alert stands, and few work orders try it
);

ALTER TABLE model_calls ADD COLUMN cached_tokens integer;
