-- Which home and which services this database belongs to. A work order that began among doubles must
-- never reach a real service, whoever starts which program with which environment.

CREATE TABLE installation (
    id              smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    database_id     uuid NOT NULL DEFAULT gen_random_uuid(),
    home_id         text,                                 -- NULL: no home has started here yet
    key_sha256      text,                                 -- of the secret that makes the keys
    world           bigint NOT NULL DEFAULT 1,            -- grows when another world is adopted
    changed_at      timestamptz NOT NULL DEFAULT now()
);
INSERT INTO installation DEFAULT VALUES;

CREATE TABLE installation_places (
    service         text PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('double', 'real', 'none')),
    label           text NOT NULL,                        -- shown to people; no secret
    sha256          text,                                 -- of the address, keyed; NULL: not seen yet
    world           bigint NOT NULL DEFAULT 1,
    since           timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE installation_history (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    world           bigint NOT NULL,
    what            text NOT NULL,
    actor           text NOT NULL,
    database_user   text NOT NULL DEFAULT session_user,
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER installation_history_is_immutable BEFORE UPDATE OR DELETE ON installation_history
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- An installation from before this table: what its first appointment said about the hook.
INSERT INTO installation_places (service, kind, label)
SELECT 'zapier', CASE WHEN reason = 'sandbox' THEN 'double' ELSE 'real' END,
       CASE WHEN reason = 'sandbox' THEN 'the double' ELSE 'a real hook' END
  FROM publisher_history
 WHERE actor = 'swarm up' AND (reason = 'sandbox' OR reason LIKE 'a real hook%')
 ORDER BY epoch LIMIT 1;

CREATE FUNCTION current_world() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT world FROM swarm.installation WHERE id = 1 $$;

-- Stamped by the database, so that no writer can forget it; the claim compares it.
ALTER TABLE work_orders ADD COLUMN world bigint NOT NULL DEFAULT 1;
ALTER TABLE work_orders ALTER COLUMN world SET DEFAULT swarm.current_world();
ALTER TABLE publication_payload ADD COLUMN world bigint NOT NULL DEFAULT 1;

CREATE FUNCTION stamp_world() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.world := swarm.current_world(); RETURN NEW; END $$;
CREATE TRIGGER publication_payload_has_its_world
    BEFORE INSERT OR UPDATE OF body ON publication_payload
    FOR EACH ROW EXECUTE FUNCTION stamp_world();
