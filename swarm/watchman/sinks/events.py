"""The PagerDuty Events API v2, or whatever takes the same events (Opsgenie, Grafana OnCall, ...).

Source: developer.pagerduty.com, "Send an Alert Event": ``dedup_key`` (255 signs) makes all that is
told of one incident one incident there, also what is told twice; 202 means taken, 400 the event is
invalid, 429 too many. What came and went is triggered and resolved: it stands in the record. News
is no incident: it would stay open for ever.
"""

import platform
from typing import Final

from pydantic import JsonValue, SecretStr

from swarm.store.alert_kinds import Severity
from swarm.watchman.messages import Course, Notice
from swarm.watchman.sinks.posting import Posting

_LONGEST_KEY, _LONGEST_SUMMARY = 255, 1024
_SEVERITIES = {Severity.PAGE: "critical", Severity.WAITS: "warning"}


class EventsSink:
    """Triggers incidents and resolves them."""

    name: Final = "events"

    def __init__(self, url: SecretStr, key: SecretStr) -> None:
        self._posting = Posting(self.name, url)
        self._key = key

    def tell(self, message: Notice) -> None:
        """Post the event, or both; raises as ``Sink.tell`` says."""
        if message.course in (Course.FIRING, Course.PASSED):
            self._posting.post(self._event(message, "trigger") | _payload(message))
        if message.course in (Course.OVER, Course.PASSED):
            self._posting.post(self._event(message, "resolve"))

    def close(self) -> None:
        """Close the connection."""
        self._posting.close()

    def _event(self, message: Notice, action: str) -> dict[str, JsonValue]:
        return {
            "routing_key": self._key.get_secret_value(),
            "event_action": action,
            "dedup_key": message.incident[-_LONGEST_KEY:],
        }


def _payload(message: Notice) -> dict[str, JsonValue]:
    return {
        "client": "swarm-assets",
        "client_url": message.link,
        "links": [{"href": message.link, "text": "Have a look"}],
        "payload": {
            "summary": message.headline[:_LONGEST_SUMMARY],
            "source": platform.node() or "swarm-assets",
            "severity": _SEVERITIES[message.severity],
            "timestamp": message.at.isoformat(),
            "class": message.kind,
            "custom_details": {"what is known": "\n".join(message.lines)},
        },
    }
