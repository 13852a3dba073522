-- A guard inside the Zap was to make a second post safe. Nobody served it, so a promise of it could
-- only mislead: what may have arrived is held for a person, and never sent again by itself.
ALTER TABLE publication_ledger DROP COLUMN delivered_fence;
