"""The guard inside the Zap: the step before *Create Draft Reply* asks here whether it may go on.

One compare-and-set: a fence is admitted once, and only one fence of a work order ever is. Stale
fences, repeated deliveries and replays stop here, which alone makes a resend safe (model variants D
and E). If the Zap dies between this answer and the draft, the row ends HELD: late, never twice.
Source: publishing protocol, section 8.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from swarm.store.database import Connection, Database

_ADMIT = """
WITH admitted AS (
    UPDATE publication_ledger SET delivered_fence = fence
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND delivered_fence IS NULL
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event)
SELECT work_order_key, fence, 'delivered' FROM admitted
"""


def admit(connection: Connection, key: str, fence: int) -> bool:
    """Let the Zap draft for this fence; True exactly once per work order."""
    return connection.execute(_ADMIT, {"key": key, "fence": fence}).rowcount == 1


def guard_application(database: Database) -> Starlette:
    """Return an app with ``POST /claim {key, fence}``: 200 go on, 409 stop, 400 unreadable."""

    async def answer(request: Request) -> JSONResponse:
        asked = await _question(request)
        if asked is None:
            return JSONResponse({"error": "expected key and fence"}, status_code=400)
        with database.transaction() as connection:
            admitted = admit(connection, *asked)
        return JSONResponse({"admitted": admitted}, status_code=200 if admitted else 409)

    return Starlette(routes=[Route("/claim", answer, methods=["POST"])])


async def _question(request: Request) -> tuple[str, int] | None:
    try:
        body = await request.json()
        return str(body["key"]), int(body["fence"])
    except (ValueError, KeyError, TypeError):
        return None
