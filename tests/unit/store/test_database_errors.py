"""Every SQLSTATE is an error of our tree: it passes, or somebody must mend something."""

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout
from troubled_database import PERMANENT, TRANSIENT

from swarm.errors import (
    DatabaseError,
    DatabaseRefusedError,
    DatabaseUnavailableError,
    PermanentError,
    TransientError,
)
from swarm.store.database_errors import in_our_words, translate


def known_to_the_driver() -> list[type[psycopg.Error]]:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    return [each for each in classes if issubclass(each, psycopg.Error) and each.sqlstate]


def of_state(state: str) -> psycopg.Error:
    try:
        return errors.lookup(state)("said the server")
    except KeyError:
        unknown = psycopg.DatabaseError("said the server")
        unknown.sqlstate = state
        return unknown


def test_the_driver_knows_no_sqlstate_that_is_not_one_of_our_errors() -> None:
    known = known_to_the_driver()
    assert len(known) > 200
    for each in known:
        ours = translate(each("said the server"))
        assert isinstance(ours, DatabaseError)
        assert isinstance(ours, TransientError) is not isinstance(ours, PermanentError)
        assert ours.sqlstate == each.sqlstate
        assert str(each.sqlstate) in str(ours)


@pytest.mark.parametrize("state", TRANSIENT)
def test_what_passes_by_itself_is_transient(state: str) -> None:
    assert isinstance(translate(of_state(state)), DatabaseUnavailableError)


@pytest.mark.parametrize("state", PERMANENT)
def test_what_somebody_must_mend_is_permanent(state: str) -> None:
    assert isinstance(translate(of_state(state)), DatabaseRefusedError)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("server closed the connection unexpectedly"),
        psycopg.InterfaceError("the connection is closed"),
        PoolTimeout("couldn't get a connection"),
        PoolClosed("the pool is closed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_without_an_answer_the_database_is_away(error: psycopg.Error) -> None:
    ours = translate(error)
    assert isinstance(ours, DatabaseUnavailableError)
    assert ours.sqlstate is None


@pytest.mark.parametrize("kind", [psycopg.DataError, psycopg.ProgrammingError])
def test_what_the_driver_would_not_send_is_refused(kind: type[psycopg.Error]) -> None:
    assert isinstance(translate(kind("text cannot contain NUL")), DatabaseRefusedError)


@pytest.mark.parametrize("state", ["22P02", "23505", "22P05"])
def test_a_message_that_may_quote_a_mail_is_not_carried_along(state: str) -> None:
    with pytest.raises(DatabaseRefusedError) as caught, in_our_words():
        raise errors.lookup(state)("Token 'I will sue you' is invalid")
    assert "sue" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_other_errors_pass_through_unchanged() -> None:
    with pytest.raises(KeyError), in_our_words():
        raise KeyError("a bug")
