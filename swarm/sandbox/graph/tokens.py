"""The token endpoint: client credentials in, a bearer token that really expires out.

Tokens live in memory: after a restart every one is stale, which clients must survive anyway.
"""

import secrets
import time
import uuid
from urllib.parse import parse_qs

from swarm.sandbox.addresses import CLIENT_ID, CLIENT_SECRET
from swarm.sandbox.wire import Reply, Request, json_reply


class Tokens:
    """Issued tokens and how long new ones live."""

    def __init__(self) -> None:
        self.lifetime_seconds = 3599
        self.issued = 0
        self._good_until: dict[str, float] = {}

    def handle(self, request: Request) -> Reply:
        """Answer ``POST /{tenant}/oauth2/v2.0/token``."""
        form = {key: values[0] for key, values in parse_qs(request.body.decode("latin-1")).items()}
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", 70003)
        if form.get("scope") != "https://graph.microsoft.com/.default":
            return _refused(400, "invalid_scope", 1002012)
        if form.get("client_id") != CLIENT_ID:
            return _refused(400, "unauthorized_client", 700016)
        if form.get("client_secret") != CLIENT_SECRET:
            return _refused(401, "invalid_client", 7000215)
        return self._issue()

    def _issue(self) -> Reply:
        token = secrets.token_urlsafe(48)
        self.issued += 1
        self._good_until[token] = time.monotonic() + self.lifetime_seconds
        answer = {
            "token_type": "Bearer",
            "expires_in": self.lifetime_seconds,
            "ext_expires_in": self.lifetime_seconds,
            "access_token": token,
        }
        return json_reply(200, answer)

    def accepts(self, authorization: str) -> bool:
        """Tell whether an ``Authorization`` header holds a token that is still good."""
        scheme, _, token = authorization.partition(" ")
        good_until = self._good_until.get(token, 0.0)
        return scheme == "Bearer" and time.monotonic() < good_until

    def revoke_all(self) -> None:
        """Make every issued token stale."""
        self._good_until.clear()


def _refused(status: int, error: str, number: int) -> Reply:
    body = {
        "error": error,
        "error_description": f"AADSTS{number}: refused by the sandbox.",
        "error_codes": [number],
        "timestamp": time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()),
        "trace_id": str(uuid.uuid4()),
        "correlation_id": str(uuid.uuid4()),
    }
    return json_reply(status, body)
