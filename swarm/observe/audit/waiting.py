"""Questions about time: what waits too long, will never be due, or has no time at all (promise 1).

A state that is not final is allowed to last, not to stay; and a time that lies in a far year is how
a row is hidden from everybody who asks what is due. The limits are ``report.Limits``.
"""

from swarm.observe.audit.question import Question

_PUBLICATION_WAITS = """
SELECT work_order_key AS subject, state || ' since ' || changed_at AS detail
  FROM publication_ledger
 WHERE (state IN ('READY', 'ACCEPTED', 'UNKNOWN') AND changed_at < now() - %(publication)s)
    OR (state = 'PENDING_PAYLOAD' AND changed_at < now() - %(waiting)s)
"""

# The reconciler looks at least every five minutes, and back-off ends at five minutes.
_PUBLICATION_NEVER_DUE = """
SELECT work_order_key AS subject, state || ', due only ' || coalesce(not_before, look_at)::text
       AS detail
  FROM publication_ledger
 WHERE state IN ('READY', 'PENDING_PAYLOAD') AND not_before > now() + %(furthest_due)s
 UNION ALL
SELECT work_order_key, state || ', and nobody looks for it before '
       || coalesce(look_at::text, 'the end of time')
  FROM publication_ledger
 WHERE state IN ('ACCEPTED', 'UNKNOWN')
   AND coalesce(look_at > now() + %(publication)s, true)
"""

_PUBLISHING_TOO_LONG = """
SELECT w.key AS subject, 'publishing since ' || e.at AS detail
  FROM work_orders w
 CROSS JOIN LATERAL (SELECT at FROM workflow_events e WHERE e.work_order_key = w.key
                        AND e.kind = 'work_order.publishing' ORDER BY seq DESC LIMIT 1) e
 WHERE w.state = 'publishing' AND e.at < now() - %(waiting)s
"""

# A replay or a release begins anew; its move to accepted stands in the chain.
_OPEN_TOO_LONG = """
SELECT w.key AS subject, w.state || ' and not final since ' || began.at AS detail
  FROM work_orders w
 CROSS JOIN LATERAL (SELECT greatest(w.accepted_at, max(e.at)) AS at FROM workflow_events e
                      WHERE e.work_order_key = w.key AND e.kind = 'work_order.accepted') began
 WHERE w.final_at IS NULL AND began.at < now() - %(open)s
"""

_JOB_WITHOUT_TIMES = """
SELECT work_order_key AS subject, state || ' without '
       || CASE WHEN state = 'requested' THEN 'the time of its request'
               ELSE 'run, lease or heartbeat' END AS detail
  FROM swarm_jobs
 WHERE (state = 'requested' AND requested_at IS NULL)
    OR (state = 'running' AND (run_id IS NULL OR lease_until IS NULL OR heartbeat_at IS NULL))
"""

_JOB_NEVER_DUE = """
SELECT work_order_key AS subject, state || ', due or taken back only '
       || CASE state WHEN 'queued' THEN not_before WHEN 'requested' THEN requested_at
               ELSE greatest(lease_until, heartbeat_at) END AS detail
  FROM swarm_jobs
 WHERE (state = 'queued' AND not_before > now() + %(furthest_due)s)
    OR (state = 'requested' AND requested_at > now() + %(clock_slack)s)
    OR (state = 'running' AND (lease_until > now() + %(furthest_due)s
                               OR heartbeat_at > now() + %(clock_slack)s))
"""

_REQUEST_FORGOTTEN = """
SELECT work_order_key AS subject, 'a run was asked for at ' || requested_at || ' and never began'
       AS detail
  FROM swarm_jobs WHERE state = 'requested' AND requested_at < now() - %(request)s
"""

_JOB_WAITS = """
SELECT work_order_key AS subject, 'queued and due since ' || not_before AS detail
  FROM swarm_jobs WHERE state = 'queued' AND not_before < now() - %(waiting)s
 UNION ALL
SELECT j.work_order_key, 'one run works on it since ' || r.started_at
  FROM swarm_jobs j JOIN workflow_runs r ON r.run_id = j.run_id
 WHERE j.state = 'running' AND r.started_at < now() - %(waiting)s
"""

# Both are written in one transaction, whoever writes them.
_STATE_WITHOUT_JOB = """
SELECT w.key AS subject, 'the work order is ' || w.state || ', its job ' || j.state AS detail
  FROM work_orders w JOIN swarm_jobs j ON j.work_order_key = w.key
 WHERE (w.state = 'running') <> (j.state = 'running') AND w.state IN ('accepted', 'running')
"""

_OF_THE_FUTURE = """
SELECT key AS subject, state || ' from the future: ' || greatest(accepted_at, final_at) AS detail
  FROM work_orders
 WHERE greatest(accepted_at, final_at) > now() + %(clock_slack)s
 UNION ALL
SELECT work_order_key, state || ' from the future: '
       || greatest(created_at, changed_at, intent_at)
  FROM publication_ledger
 WHERE greatest(created_at, changed_at, intent_at) > now() + %(clock_slack)s
"""

QUESTIONS = (
    Question(1, "publication_waits", _PUBLICATION_WAITS),
    Question(1, "never_due", _PUBLICATION_NEVER_DUE),
    Question(1, "publishing_too_long", _PUBLISHING_TOO_LONG),
    Question(1, "open_too_long", _OPEN_TOO_LONG),
    Question(1, "job_without_times", _JOB_WITHOUT_TIMES),
    Question(1, "never_due", _JOB_NEVER_DUE),
    Question(1, "request_forgotten", _REQUEST_FORGOTTEN),
    Question(1, "job_waits", _JOB_WAITS),
    Question(1, "state_without_job", _STATE_WITHOUT_JOB),
    Question(1, "from_the_future", _OF_THE_FUTURE),
)
