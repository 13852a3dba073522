-- Append-only tables may lose the rows of one ended work order, and only in the transaction that
-- names it (set_config('swarm.erasing', key, true)): a person's right to be forgotten.

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       AND to_jsonb(OLD)->>'work_order_key' = nullif(current_setting('swarm.erasing', true), '') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END $$;
