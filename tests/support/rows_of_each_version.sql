-- What a program of each version wrote: after `-- from NNNN` stand the rows that version could write
-- first. Each is laid down at its own version and must outlive every later migration.

-- from 0001
INSERT INTO work_orders (key, original_id, body, state, final_at) VALUES
  ('wo_' || repeat('a', 24), 'mail-a', '{"subject": "a"}', 'published', now()),
  ('wo_' || repeat('b', 24), 'mail-b', '{"subject": "b"}', 'dead', now()),
  ('wo_' || repeat('c', 24), 'mail-c', '{"subject": "c"}', 'accepted', NULL),
  ('wo_' || repeat('d', 24), 'mail-d', '{"subject": "d"}', 'escalated', now());
UPDATE work_orders SET tier = 3, state_reason = 'gave up' WHERE original_id = 'mail-b';
INSERT INTO swarm_jobs (work_order_key, state, attempt, failures) VALUES
  ('wo_' || repeat('a', 24), 'done', 1, 0),
  ('wo_' || repeat('b', 24), 'done', 5, 5),
  ('wo_' || repeat('c', 24), 'queued', 0, 0);
INSERT INTO workflow_runs (run_id, work_order_key, attempt, token, outcome)
VALUES ('run-a', 'wo_' || repeat('a', 24), 1, 1, 'published');
INSERT INTO workflow_events (work_order_key, seq, attempt, run_id, kind, actor, detail, at,
                             previous_hash, hash)
VALUES ('wo_' || repeat('a', 24), 1, 1, 'run-a', 'stage', 'draft', '{}', now(), 'p', 'h');
INSERT INTO artifacts (work_order_key, stage, token, attempt, run_id, body, sha256)
VALUES ('wo_' || repeat('a', 24), 'draft', 1, 1, 'run-a', '{}', 's');
INSERT INTO verdicts (rule, version, draft_sha256, evidence_sha256, ruling, decided_by, work_order_key)
VALUES ('ES-07', '1', 'd', 'e', 'pass', 'policy', 'wo_' || repeat('a', 24));
INSERT INTO model_calls (work_order_key, purpose, request_sha256, model, prompt_sha256, answer)
VALUES ('wo_' || repeat('a', 24), 'propose', 'r', 'm', 'p', '{}');
INSERT INTO escalations (work_order_key, classes, reasons, owner, received_at, acknowledge_by)
VALUES ('wo_' || repeat('d', 24), '["legal"]', '[]', 'counsel', now(), now());
INSERT INTO alerts (kind, subject, detail, delivered_at)
VALUES ('work_order.dead', 'wo_' || repeat('b', 24), 'gave up', now());

-- from 0002
INSERT INTO intake_offset (stream, generation, byte_offset, marker_sha256, prefix_length, prefix_sha256)
VALUES ('work_orders', 1, 300, 'm', 300, 'p');
INSERT INTO intake_line (stream, generation, byte_offset, length, line_sha256, work_order_key, status)
VALUES ('work_orders', 1, 0, 100, 'l', 'wo_' || repeat('a', 24), 'accepted'),
       ('work_orders', 1, 200, 100, 'erased', NULL, 'quarantined');
INSERT INTO quarantine (stream, generation, byte_offset, length, sha256, head, reason)
VALUES ('work_orders', 1, 100, 50, 'q1', 'x', 'not JSON'), ('work_orders', 1, 150, 50, 'q2', 'x', 'not JSON');
INSERT INTO revision (work_order_key, canonical_sha256, body)
VALUES ('wo_' || repeat('c', 24), 'rev', '{}');
INSERT INTO alerts (kind, subject, detail) VALUES ('intake.quarantined', 'work_orders:1', 'not JSON');

-- from 0003
UPDATE publisher_control SET active = 'swarm', epoch = 1, reason = 'sandbox', actor = 'swarm up';
INSERT INTO publisher_history (epoch, active, reason, actor) VALUES (1, 'swarm', 'sandbox', 'swarm up');
INSERT INTO publisher_lease (holder, epoch, lease_until, renewable) VALUES ('sender', 1, now(), false);
INSERT INTO publication_payload (work_order_key, publisher, sha256, draft_sha256, evidence_sha256,
                                 ruleset, body)
VALUES ('wo_' || repeat('a', 24), 'swarm', 's', 'd', 'e', '1', '{"to": "jane@customer.example"}');
INSERT INTO publication_ledger (work_order_key, publisher, state, fence, epoch, draft_id) VALUES
  ('wo_' || repeat('a', 24), 'swarm', 'CONFIRMED', 1, 1, 'draft-1'),
  ('wo_' || repeat('c', 24), 'swarm', 'PENDING_PAYLOAD', 0, 1, NULL);
INSERT INTO publication_log (work_order_key, fence, event) VALUES ('wo_' || repeat('a', 24), 1, 'confirmed');

-- from 0006
INSERT INTO legacy_proof (day, at, epoch, holds, reasons, evidence)
VALUES ((now() AT TIME ZONE 'UTC')::date, now(), 1, true, '[]', '{}');
INSERT INTO legacy_decommission (epoch, at, actor, reason) VALUES (1, now(), 'anna', 'after 14 days');

-- from 0008
INSERT INTO sorted_out (key, original_id, reason) VALUES ('wo_' || repeat('e', 24), 'mail-e', 'auto-reply');

-- from 0011
INSERT INTO releases (work_order_key, number, actor, reason, waived, from_state, revision,
                      no_draft_in_mailbox)
VALUES ('wo_' || repeat('d', 24), 1, 'anna', 'I have read it', '{ES-04}', 'escalated', 0, true);

-- from 0013
INSERT INTO installation_history (world, what, actor) VALUES (1, 'graph is another', 'swarm up');

-- from 0014
INSERT INTO audit_mark (id, at, scope, cluster, horizon, counts, laid_down, actor, reason,
                        previous_hash, hash)
VALUES (1, now(), 'full', 'c', 1, '{}', '{}', 'anna', '', 'p', 'h');

-- from 0016
INSERT INTO switch_wish (actor, reason, expires_at, ended_at, ended_as, ended_by)
VALUES ('anna', 'try', now(), now(), 'withdrawn', 'anna');

-- from 0017
INSERT INTO erasure (asked_for, actor, reason) VALUES ('address', 'anna', 'asked by the customer');
INSERT INTO tombstone (hash, erasure) SELECT 'hash', id FROM erasure;

-- from 0029
INSERT INTO work_orders (key, original_id, body, state, final_at)
VALUES ('wo_' || repeat('f', 24), 'mail-f', '{}', 'declined', now());

-- from 0041
INSERT INTO model_endpoints (name) VALUES ('openai/m@host');

-- from 0050
INSERT INTO legacy_outcomes (work_order_key, origin, escalated, reasons, recipient, subject, body_text,
                             policy_version, line_sha256)
VALUES ('wo_' || repeat('a', 24), 'live', false, '[]', 'jane@customer.example', 's', 'b', '1', 'l');
INSERT INTO reply_outcomes (work_order_key, origin) VALUES ('wo_' || repeat('a', 24), 'live');
INSERT INTO history_imports (actor, mapping_sha256, files, counts) VALUES ('anna', 'm', '[]', '{}');
INSERT INTO history_orders (work_order_key, original_id, body, received_at, import_id)
SELECT 'wo_' || repeat('g', 24), 'mail-g', '{}', now(), id FROM history_imports;
INSERT INTO danger_labels (work_order_key, classes, source, actor)
VALUES ('wo_' || repeat('a', 24), '[]', 'person', 'anna');
INSERT INTO replays (work_order_key, engine, body) VALUES ('wo_' || repeat('a', 24), 'engine', '{}');
INSERT INTO comparisons (work_order_key, engine, origin, body)
VALUES ('wo_' || repeat('a', 24), 'engine', 'live', '{}');

-- from 0051
INSERT INTO engine_heartbeats (process, role, engine, parts) VALUES ('p', 'workers', 'engine', '{}');
INSERT INTO looks (at, actor) VALUES (now() + interval '1 hour', 'anna');

-- from 0053
INSERT INTO replay_plan (work_order_key, actor) VALUES ('wo_' || repeat('a', 24), 'anna');
INSERT INTO replay_model_calls (work_order_key, purpose, request_sha256, body)
VALUES ('wo_' || repeat('a', 24), 'propose', 'r', '{}');

-- from 0054
INSERT INTO rollback_drills (day, holds, reasons, body) VALUES (current_date, true, '[]', '{}');

-- from 0061
INSERT INTO alert_silences (kind, until, reason, actor)
VALUES ('work_order.dead', now() + interval '1 hour', 'known', 'anna');

-- from 0062
INSERT INTO tally_deltas (name, labels, value) VALUES ('lines', ARRAY['work_orders', 'accepted'], 1);

-- from 0063
INSERT INTO mail_search (work_order_key, received_at, addresses, ids, numbers, words)
VALUES ('wo_' || repeat('a', 24), now(), '{}', '{mail-a}', '{}', '{}');

-- from 0065
INSERT INTO prefetches (work_order_key, attempt, owner, lease_until)
VALUES ('wo_' || repeat('c', 24), 1, 'boot:1:1', now());
INSERT INTO prefetchers (host, owner, seen_at) VALUES ('host', 'boot:1:1', now());
INSERT INTO model_paces (name, next_at) VALUES ('openai/m@host', now());
