-- Where alerts are told, and what of each alert each of these sinks has taken. One that is down keeps
-- nobody else waiting: every sink has its own rows.
CREATE TABLE alert_sinks (
    sink            text PRIMARY KEY,
    since           timestamptz NOT NULL DEFAULT now(),   -- what was over before is no news to it
    holder          text,                                 -- which process delivers to it
    held_until      timestamptz,
    turned_at       timestamptz,                          -- last look at what it must be told
    took_at         timestamptz,                          -- last message it took
    failures        integer NOT NULL DEFAULT 0,           -- in a row
    failing_since   timestamptz,
    next_try        timestamptz,
    last_error      text NOT NULL DEFAULT ''
);

CREATE TABLE alert_deliveries (
    alert_id        bigint NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    sink            text NOT NULL REFERENCES alert_sinks (sink),
    told            integer NOT NULL DEFAULT 0,           -- the count that was told; 0: nothing yet
    told_at         timestamptz,
    bundle          text,                                 -- told among others in one message
    over_at         timestamptz,                          -- its end was told, or need not be
    refusals        integer NOT NULL DEFAULT 0,           -- times this very message was refused
    not_before      timestamptz,
    PRIMARY KEY (alert_id, sink)
);
CREATE INDEX alert_deliveries_open ON alert_deliveries (sink, alert_id) WHERE over_at IS NULL;
CREATE INDEX alerts_by_time ON alerts (at);

-- The log was the only sink so far; what it was told is not told again.
INSERT INTO alert_sinks (sink) VALUES ('log');
INSERT INTO alert_deliveries (alert_id, sink, told, told_at, over_at)
SELECT id, 'log', told, delivered_at, resolved_at FROM alerts WHERE delivered_at IS NOT NULL;
ALTER TABLE alerts DROP COLUMN told;
DROP INDEX alerts_undelivered;
