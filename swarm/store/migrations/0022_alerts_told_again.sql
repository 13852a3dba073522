-- How much of an alert was told: what grows after it was told is told again, even if it then stops.
ALTER TABLE alerts ADD COLUMN told integer NOT NULL DEFAULT 0;
UPDATE alerts SET told = count WHERE delivered_at IS NOT NULL;
