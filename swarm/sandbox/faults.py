"""Faults that a test or a person switches on per service: which, how often, with which options.

Kept in memory: a restarted sandbox is healthy. Kinds any service knows: ``latency`` (seconds),
``timeout`` (seconds; then 504), ``status`` (status, retry_after, code, message), ``reset`` and
``drip`` (seconds between two bytes of the answer).
Kinds of one service are named in that service's module.
"""

from dataclasses import dataclass, field

SERVICES = ("graph", "login", "monday", "zapier", "model")


@dataclass(slots=True)
class Fault:
    """A switched-on fault; ``remaining`` None means until it is switched off."""

    service: str
    kind: str
    remaining: int | None = None
    options: dict[str, object] = field(default_factory=dict)
    fired: int = 0

    def number(self, option: str, default: float) -> float:
        """Return an option as a number."""
        value = self.options.get(option, default)
        return float(value) if isinstance(value, int | float | str) else default

    def text(self, option: str, default: str = "") -> str:
        """Return an option as text."""
        return str(self.options.get(option, default))


class Faults:
    """The switchboard."""

    def __init__(self) -> None:
        self._on: list[Fault] = []

    def switch_on(
        self, service: str, kind: str, times: int | None, options: dict[str, object]
    ) -> None:
        """Add a fault that fires ``times`` times, or until it is switched off."""
        self._on.append(Fault(service, kind, times, options))

    def switch_off(self, service: str | None = None) -> None:
        """Remove the faults of a service, or all."""
        self._on = [fault for fault in self._on if service not in (None, fault.service)]

    def take(self, service: str, *kinds: str) -> Fault | None:
        """Return the oldest fault of these kinds that is on, counting it as fired; else None."""
        for fault in self._on:
            if fault.service == service and fault.kind in kinds:
                fault.fired += 1
                if fault.remaining is not None:
                    fault.remaining -= 1
                    if fault.remaining <= 0:
                        self._on.remove(fault)
                return fault
        return None

    def listed(self) -> list[dict[str, object]]:
        """Return what is on, for the control API."""
        return [
            {
                "service": fault.service,
                "kind": fault.kind,
                "remaining": fault.remaining,
                "options": fault.options,
                "fired": fault.fired,
            }
            for fault in self._on
        ]
