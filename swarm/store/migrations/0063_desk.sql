-- The support lead's desk: where a draft is opened in Outlook, what mails are found by, and a login
-- that reads and may say that somebody has taken an escalation.

-- Graph's webLink of the draft, as it was when the draft was confirmed.
ALTER TABLE publication_ledger ADD COLUMN draft_link text;

-- What a mail is found by: written with its work order, gone with it (`swarm erase` takes every table
-- that names a work order). The text of a mail is not in it, only its numbers.
CREATE TABLE mail_search (
    work_order_key  text PRIMARY KEY REFERENCES work_orders (key) ON DELETE CASCADE,
    received_at     timestamptz NOT NULL,
    addresses       text[] NOT NULL,                      -- sender and Reply-To, lower-cased
    ids             text[] NOT NULL,                      -- original id, Graph's id, Message-ID
    numbers         text[] NOT NULL,                      -- of subject and text: order numbers
    words           text[] NOT NULL                       -- of sender and subject, folded
);
CREATE INDEX mail_search_by_term ON mail_search USING gin (addresses, ids, numbers);
-- A lexeme per word: a beginning of it finds it too.
CREATE INDEX mail_search_by_word ON mail_search USING gin (array_to_tsvector(words));
-- Beginnings of a key, whatever the database's collation.
CREATE INDEX mail_search_by_key ON mail_search (work_order_key text_pattern_ops);
CREATE INDEX mail_search_by_date ON mail_search (received_at DESC, work_order_key);

-- What the pages ask for every time.
CREATE INDEX reply_outcomes_open ON reply_outcomes (offered_at)
    WHERE act = 'open' AND publisher IS NOT NULL AND origin = 'live';
CREATE INDEX reply_outcomes_by_act ON reply_outcomes (acted_at) WHERE acted_at IS NOT NULL;
CREATE INDEX work_orders_by_arrival ON work_orders (accepted_at);
