-- A mail may be read before the mail it answers: whoever names this one is looked up for every mail
-- too, and right before a draft leaves also whoever shares its conversation.
CREATE INDEX work_orders_by_reference ON work_orders USING gin ((body->'references'));
CREATE INDEX work_orders_by_in_reply_to ON work_orders USING hash ((body->>'in_reply_to'));
CREATE INDEX work_orders_by_conversation ON work_orders USING hash
    ((body->'ref'->>'conversation_id'));
