"""A sink that is one address which takes JSON: what differs is the body (``slack``, ``teams``)."""

from collections.abc import Callable, Mapping

from pydantic import JsonValue, SecretStr

from swarm.watchman.messages import Notice
from swarm.watchman.sinks.posting import Posting


class Webhook:
    """Posts what ``body_of`` makes of a message."""

    def __init__(
        self, name: str, url: SecretStr, body_of: Callable[[Notice], Mapping[str, JsonValue]]
    ) -> None:
        self.name = name
        self._posting = Posting(name, url)
        self._body_of = body_of

    def tell(self, message: Notice) -> None:
        """Post it; raises as ``Sink.tell`` says."""
        self._posting.post(self._body_of(message))

    def close(self) -> None:
        """Close the connection."""
        self._posting.close()
