-- Erasure of a person's mail: who asked for it and why, the hashes that refuse it for ever, and the
-- redo of blanking its lines in the intake stream. No id, no address, no text stands in any of them.

CREATE TABLE erasure (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_for       text NOT NULL CHECK (asked_for IN ('work order', 'address')),
    actor           text NOT NULL,
    reason          text NOT NULL,
    database_user   text NOT NULL DEFAULT session_user,
    began_at        timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,                          -- null: it was cut short; ask for it again
    work_orders     integer NOT NULL DEFAULT 0,
    places          jsonb NOT NULL DEFAULT '{}'           -- table or file -> how many rows or lines
);

CREATE FUNCTION refuse_unwriting_an_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'erasure % is on record: % refused', OLD.id, TG_OP;
END $$;
CREATE TRIGGER erasures_stay BEFORE DELETE ON erasure
    FOR EACH ROW EXECUTE FUNCTION refuse_unwriting_an_erasure();
CREATE TRIGGER finished_erasures_stay BEFORE UPDATE ON erasure
    FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL)
    EXECUTE FUNCTION refuse_unwriting_an_erasure();

CREATE TABLE tombstone (
    hash            text PRIMARY KEY,                     -- HMAC with the home's key secret
    erasure         bigint NOT NULL REFERENCES erasure (id),
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER tombstones_are_immutable BEFORE UPDATE OR DELETE ON tombstone
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Which bytes of a generation are to be overwritten, and the proof of its bookmark once they are.
-- Committed before the first byte changes: whoever comes next, the reader too, ends it.
CREATE TABLE intake_blanking (
    stream          text NOT NULL,
    generation      integer NOT NULL,
    ranges          jsonb NOT NULL,                       -- [[offset, length], ...]
    marker_sha256   text NOT NULL,
    prefix_sha256   text NOT NULL,
    PRIMARY KEY (stream, generation)
);

-- A line that was erased, or that came again and was refused, is counted as such and as nothing
-- else. Whatever statuses there are by now, this is one more.
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
                 WHERE conrelid = 'intake_line'::regclass AND contype = 'c'
                   AND pg_get_constraintdef(oid) LIKE '%status%' LOOP
        EXECUTE format('ALTER TABLE intake_line DROP CONSTRAINT %I', rule.conname);
        EXECUTE format('ALTER TABLE intake_line ADD CONSTRAINT %I CHECK (status = ''erased'' OR %s)',
                       rule.conname, substring(rule.definition FROM 7));
    END LOOP;
END $$;

UPDATE intake_line SET status = 'erased'
 WHERE line_sha256 = 'erased' AND work_order_key IS NULL;
