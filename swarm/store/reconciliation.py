"""What lines, work orders, jobs and publications must agree upon: one SELECT each, empty if so.

Each gives ``subject`` (a work-order key or a place in a stream) and ``detail`` per breach. Asked by
the audit and by the gates of a cutover, so that neither can be clean where the other is not.
"""

LINE_WITHOUT_WORK_ORDER = """
SELECT DISTINCT l.work_order_key AS subject, 'accepted line without a work order' AS detail
  FROM intake_line l LEFT JOIN work_orders w ON w.key = l.work_order_key
 WHERE l.status = 'accepted' AND l.work_order_key IS NOT NULL AND w.key IS NULL
   AND l.stream <> 'outbox'
"""

WORK_ORDER_WITHOUT_LINE = """
SELECT w.key AS subject, count(l.id) || ' accepted lines, expected 1' AS detail
  FROM work_orders w
  LEFT JOIN intake_line l ON l.work_order_key = w.key AND l.status = 'accepted'
                         AND l.stream <> 'outbox'
 GROUP BY w.key HAVING count(l.id) <> 1
"""

QUARANTINE_MISMATCH = """
SELECT coalesce(l.stream, q.stream) || ':' || coalesce(l.generation, q.generation)
       || ':' || coalesce(l.byte_offset, q.byte_offset) AS subject,
       CASE WHEN q.stream IS NULL THEN 'quarantined line whose bytes were not kept'
            ELSE 'quarantined bytes without a line' END AS detail
  FROM (SELECT * FROM intake_line WHERE status = 'quarantined') l
  FULL JOIN quarantine q USING (stream, generation, byte_offset)
 WHERE l.id IS NULL OR q.stream IS NULL
"""

SILENT = """
SELECT w.key AS subject, 'live (' || w.state || ') but no job drives it: '
       || coalesce(j.state, 'none') AS detail
  FROM work_orders w LEFT JOIN swarm_jobs j ON j.work_order_key = w.key
 WHERE w.state IN ('accepted', 'running')
   AND coalesce(j.state, 'none') NOT IN ('queued', 'requested', 'running')
"""

PUBLISHING_WITHOUT_LEDGER = """
SELECT w.key AS subject, 'publishing but the ledger has no row' AS detail
  FROM work_orders w LEFT JOIN publication_ledger l ON l.work_order_key = w.key
 WHERE w.state = 'publishing' AND l.work_order_key IS NULL
"""

PUBLISHED_WITHOUT_CONFIRMATION = """
SELECT w.key AS subject, 'published but the ledger says ' || coalesce(l.state, 'nothing') AS detail
  FROM work_orders w LEFT JOIN publication_ledger l ON l.work_order_key = w.key
 WHERE w.state = 'published' AND l.state IS DISTINCT FROM 'CONFIRMED'
"""

SAME_DRAFT_TWICE = """
SELECT min(work_order_key) AS subject, 'one draft is the draft of ' || count(*)
       || ' work orders: ' || string_agg(work_order_key, ', ') AS detail
  FROM publication_ledger WHERE draft_id <> '' GROUP BY draft_id HAVING count(*) > 1
"""

LOG_WITHOUT_ROW = """
SELECT DISTINCT g.work_order_key AS subject, 'the publication log tells of it, the ledger does not'
       AS detail
  FROM publication_log g LEFT JOIN publication_ledger l ON l.work_order_key = g.work_order_key
 WHERE l.work_order_key IS NULL
"""

# Two POSTs whose outcome was not "proven not sent" are the most the protocol ever allows.
POSTED_TOO_OFTEN = """
SELECT work_order_key AS subject, uncertain_posts || ' posts of unproven outcome' AS detail
  FROM publication_ledger WHERE uncertain_posts > 2
"""
