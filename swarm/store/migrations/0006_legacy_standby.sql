-- After a cutover today's path stays hot. Each day it is proven that it could take over, and nobody
-- may take it down before fourteen days are proven without a gap (cutover protocol, section 7).

CREATE TABLE legacy_proof (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day             date NOT NULL,                        -- UTC
    at              timestamptz NOT NULL,
    epoch           bigint NOT NULL,                      -- of the publisher switch at that moment
    holds           boolean NOT NULL,
    reasons         jsonb NOT NULL,                       -- why it does not hold; empty when it does
    evidence        jsonb NOT NULL,                       -- numbers only, no mail text, no key
    CHECK (day = (at AT TIME ZONE 'UTC')::date),
    CHECK (holds = (reasons = '[]'::jsonb))
);
CREATE INDEX legacy_proof_by_day ON legacy_proof (day) WHERE holds;
CREATE TRIGGER legacy_proof_is_immutable BEFORE UPDATE OR DELETE ON legacy_proof
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Void as soon as legacy is appointed again: the epoch then is a later one.
CREATE TABLE legacy_decommission (
    epoch           bigint PRIMARY KEY,
    at              timestamptz NOT NULL,
    actor           text NOT NULL,
    reason          text NOT NULL,
    database_user   text NOT NULL DEFAULT session_user
);
CREATE TRIGGER legacy_decommission_is_immutable BEFORE UPDATE OR DELETE ON legacy_decommission
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
