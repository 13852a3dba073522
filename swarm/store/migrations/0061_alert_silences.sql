-- A person keeps a kind of alert quiet for a while; the newest word about a kind holds.
CREATE TABLE alert_silences (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,
    until           timestamptz NOT NULL,
    reason          text NOT NULL CHECK (reason <> ''),
    actor           text NOT NULL CHECK (actor <> ''),
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX alert_silences_newest ON alert_silences (kind, id DESC);

-- Who ended an alert whose end only a person can see.
ALTER TABLE alerts ADD COLUMN resolved_by text;
