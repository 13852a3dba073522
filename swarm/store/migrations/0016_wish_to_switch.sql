-- While somebody waits to take publishing away from legacy, legacy renews no lease. That was a flag:
-- a cutover that was killed while it waited left it standing, and legacy never got a lease again.
-- A wish has an owner and an end of its own, and how it ended stays written.
CREATE TABLE switch_wish (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor           text NOT NULL,
    reason          text NOT NULL,
    database_user   text NOT NULL DEFAULT session_user,
    asked_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    ended_as        text CHECK (ended_as IN ('fulfilled', 'withdrawn', 'superseded', 'expired')),
    ended_by        text,
    CHECK ((ended_at IS NULL) = (ended_as IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX switch_wish_open ON switch_wish ((true)) WHERE ended_at IS NULL;

CREATE FUNCTION refuse_change_of_ended_wish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'switch_wish is append-only: an ended wish stays as it ended';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER switch_wish_ends_once BEFORE UPDATE OR DELETE ON switch_wish
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_ended_wish();

-- No longer asked. The column stays, because a sender of the version before may still be running; if
-- the flag was left standing, that sender gets its lease back here.
UPDATE publisher_lease SET renewable = true;
