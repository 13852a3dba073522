-- A customer who writes again under another subject is the same customer: what is still open with
-- him is looked up for every mail. Hashes, because an address or an id of a stranger may be longer
-- than an entry of a btree.
CREATE INDEX work_orders_by_customer ON work_orders USING hash
    (lower(coalesce(body->'reply_to'->0->>'address', body->'sender'->>'address')));
CREATE INDEX work_orders_by_internet_id ON work_orders USING hash
    ((body->'ref'->>'internet_message_id'));
