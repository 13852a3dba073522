import time

import pytest

from swarm.clients.patience import Patience, patiently
from swarm.errors import RateLimitedError, RemoteRefusedError, RemoteUnavailableError

HASTY = Patience(attempts=4, first_wait=0.001, longest_wait=0.002, total_seconds=1.0)


class Service:
    """Fails with these errors, one a call, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_what_may_pass_is_asked_again() -> None:
    service = Service(RemoteUnavailableError("x"), RateLimitedError("x", retry_after=0))
    assert patiently(service, HASTY) == "answer"
    assert service.calls == 3


def test_a_refusal_is_not_repeated() -> None:
    service = Service(RemoteRefusedError("no"))
    with pytest.raises(RemoteRefusedError):
        patiently(service, HASTY)
    assert service.calls == 1


def test_attempts_are_bounded_and_the_last_error_is_raised_as_it_is() -> None:
    service = Service(*[RemoteUnavailableError(str(n)) for n in range(9)])
    with pytest.raises(RemoteUnavailableError, match="3"):
        patiently(service, HASTY)
    assert service.calls == 4


def test_a_wait_that_does_not_fit_is_not_begun() -> None:
    service = Service(RateLimitedError("x", retry_after=3600))
    begun = time.monotonic()
    with pytest.raises(RateLimitedError) as caught:
        patiently(service, HASTY)
    assert time.monotonic() - begun < 0.5
    assert caught.value.retry_after == 3600
    assert service.calls == 1


def test_a_hopeless_error_ends_it_at_once() -> None:
    service = Service(RemoteUnavailableError("x"))
    with pytest.raises(RemoteUnavailableError):
        patiently(service, HASTY, hopeless=(RemoteUnavailableError,))
    assert service.calls == 1


def test_the_own_back_off_grows_with_jitter_up_to_its_cap() -> None:
    patience = Patience(first_wait=1.0, longest_wait=4.0)
    for attempt, most in ((1, 1.0), (2, 2.0), (3, 4.0), (9, 4.0)):
        assert most / 2 <= patience.backoff(attempt) <= most
