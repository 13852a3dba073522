-- 0055 names the logins whose writing is the services' own; the desk's is one of them, for its one act.
CREATE OR REPLACE FUNCTION note_foreign_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said jsonb;
BEGIN
    IF session_user IN ('swarm_worker', 'swarm_replay', 'swarm_gates', 'swarm_keeper',
                        'swarm_desk') THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT 1 FROM swarm.service_writers WHERE writer = session_user AND until IS NULL)
       OR (current_setting('swarm.migrating', true) = 'on' AND session_user =
           (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)) THEN
        RETURN NULL;
    END IF;
    said := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    INSERT INTO swarm.foreign_writes (table_name, work_order_key, subject, operation, writer)
    VALUES (TG_TABLE_NAME, coalesce(said->>'work_order_key', said->>'key'),
            coalesce(said->>'id', said->>'epoch', said->>'report_id', said->>'certificate_id',
                     said->>'process', said->>'at', ''), TG_OP, session_user);
    RETURN NULL;
END $$;
