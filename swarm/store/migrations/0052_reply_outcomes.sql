-- When a work order's mailbox was last looked at (no more looks a minute than Graph likes), and from
-- when on its waits are counted.
ALTER TABLE reply_outcomes
    ADD COLUMN opened_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN looked_at timestamptz;
CREATE INDEX reply_outcomes_looked_at ON reply_outcomes (looked_at);

-- What ended lately is asked for every few seconds.
CREATE INDEX work_orders_by_end ON work_orders (final_at) WHERE final_at IS NOT NULL;
CREATE INDEX publication_ledger_confirmed ON publication_ledger (changed_at)
    WHERE state = 'CONFIRMED';
