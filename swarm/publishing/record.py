"""Record: what became of a POST. Every move is a compare-and-set on SENDING and the claim's fence.

A record that changes no row was fenced off: say so and do nothing. What lives elsewhere: the final
states (``finals``), resolving what nobody knows (``reconciler``).
"""

from swarm.clients.protocol import HookReceipt
from swarm.publishing.claim import Claim
from swarm.publishing.control import control_to_write_ready
from swarm.store.database import Connection

_ACCEPTED = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'ACCEPTED', http_status = %(http_status)s, zap_request_id = %(request_id)s,
           ever_uncertain = true, uncertain_posts = uncertain_posts + 1, last_error = '',
           changed_at = now(), look_at = now()
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = 'SENDING'
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'accepted', 'http ' || %(http_status)s::text FROM moved
"""

_UNKNOWN = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'UNKNOWN', last_error = %(why)s,
           ever_uncertain = true, uncertain_posts = uncertain_posts + 1,
           changed_at = now(), look_at = now()
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = 'SENDING'
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'unknown', %(why)s FROM moved
"""

# Back to whoever is active now: a flip may have happened while this was on its way.
_NOT_SENT = """
WITH moved AS (
    UPDATE publication_ledger l
       SET publisher = %(active)s, epoch = %(epoch)s, last_error = %(why)s,
           payload_sha256 = (SELECT p.sha256 FROM publication_payload p
                              WHERE p.work_order_key = l.work_order_key
                                AND p.publisher = %(active)s),
           state = CASE WHEN EXISTS (SELECT 1 FROM publication_payload p
                                      WHERE p.work_order_key = l.work_order_key
                                        AND p.publisher = %(active)s)
                        THEN 'READY' ELSE 'PENDING_PAYLOAD' END,
           attempts = attempts - %(refund)s,
           not_before = clock_timestamp() + make_interval(secs => %(delay)s), changed_at = now()
     WHERE l.work_order_key = %(key)s AND l.fence = %(fence)s AND l.state = ANY(%(states)s)
 RETURNING l.work_order_key, l.fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, %(event)s, %(why)s FROM moved
"""

_DEFER = """
UPDATE publication_ledger
   SET not_before = clock_timestamp() + make_interval(secs => %(delay)s), last_error = %(why)s
 WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = 'READY'
"""


def record_accepted(connection: Connection, claim: Claim, receipt: HookReceipt) -> bool:
    """The hook took it: accepted, never done. False: fenced off."""
    columns = {
        "key": claim.work_order_key,
        "fence": claim.fence,
        "http_status": receipt.http_status,
        "request_id": receipt.request_id,
    }
    return connection.execute(_ACCEPTED, columns).rowcount == 1


def record_unknown(connection: Connection, key: str, fence: int, why: str) -> bool:
    """Nobody can say whether it arrived. False: fenced off, or resolved already."""
    return connection.execute(_UNKNOWN, {"key": key, "fence": fence, "why": why}).rowcount == 1


def record_not_sent(
    connection: Connection, claim: Claim, why: str, *, delay: float, refund: bool = False
) -> bool:
    """Proven: no byte of the request was taken. Ready again after ``delay``, for who is active.

    ``refund``: the attempt does not count, because we held it back ourselves.
    """
    return _back_to_ready(
        connection,
        claim.work_order_key,
        claim.fence,
        states=["SENDING"],
        event="not_sent",
        why=why,
        delay=delay,
        refund=int(refund),
    )


def resend_guarded(connection: Connection, key: str, fence: int) -> bool:
    """Unknown, absent after settling, and the Zap asks our guard: one more POST is safe."""
    return _back_to_ready(
        connection,
        key,
        fence,
        states=["UNKNOWN"],
        event="resend",
        why="absent after settling; the guard in the Zap admits one",
        delay=0.0,
    )


def defer(connection: Connection, key: str, fence: int, why: str, *, delay: float) -> bool:
    """Leave a due publication for later: something needed to decide cannot be had now."""
    columns = {"key": key, "fence": fence, "why": why, "delay": delay}
    return connection.execute(_DEFER, columns).rowcount == 1


def _back_to_ready(
    connection: Connection,
    key: str,
    fence: int,
    *,
    states: list[str],
    event: str,
    why: str,
    delay: float,
    refund: int = 0,
) -> bool:
    control = control_to_write_ready(connection)
    columns = {
        "key": key,
        "fence": fence,
        "active": control.active,
        "epoch": control.epoch,
        "states": states,
        "event": event,
        "why": why,
        "delay": delay,
        "refund": refund,
    }
    return connection.execute(_NOT_SENT, columns).rowcount == 1
