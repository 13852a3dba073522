-- The last clean audit as a high-water mark: what was there then may be more now, never less. Each
-- mark carries the hash of the one before, and its number is the next one, so that a mark that was
-- changed or taken out shows.

CREATE TABLE audit_mark (
    id              bigint PRIMARY KEY,                   -- previous + 1; a gap is a loss
    at              timestamptz NOT NULL,
    scope           text NOT NULL CHECK (scope IN ('new', 'full')),
    cluster         text NOT NULL,                        -- whose transaction ids these are
    horizon         bigint NOT NULL,                      -- every older transaction had ended
    counts          jsonb NOT NULL,                       -- rows per table
    laid_down       jsonb NOT NULL,                       -- objects and rights of the schema
    actor           text NOT NULL,
    reason          text NOT NULL,
    database_user   text NOT NULL DEFAULT session_user,
    previous_hash   text NOT NULL,
    hash            text NOT NULL
);
CREATE TRIGGER audit_mark_is_immutable BEFORE UPDATE OR DELETE ON audit_mark
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
