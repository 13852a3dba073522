"""The error tree. Every error of ours says what happened, to which work order, and what helps.

    SwarmError
    |-- PermanentError              trying again changes nothing
    |   |-- ConfigurationError      a setting is missing, bad, or forbids starting
    |   |-- MalformedInputError     a mail, a line or a stored artifact cannot be read
    |   |-- RemoteRefusedError      a service answered and said no (4xx, bad query, bad token)
    |   |-- DatabaseRefusedError    Postgres says no: a table, a right, a value (DatabaseError)
    |   |-- FencedOutError          somebody newer holds this work order; this writer must stop
    |   `-- RefusedError            a rule of ours forbids the step (no certificate, no PASS)
    `-- TransientError              trying again later may help
        |-- RemoteUnavailableError  no answer, a time-out, a 5xx, a reset
        |   `-- ModelUnavailableError  the model answers nobody; its work orders wait for it
    |-- RateLimitedError        the service asked us to wait; carries for how long
        `-- DatabaseUnavailableError  Postgres is away, or cannot do it now (DatabaseError)

``DatabaseError`` spans both of Postgres' errors, for programs that must outlive either.

What one service's client adds stands in ``swarm/clients/protocol.py``, below these or the root.

Judgement that could not be had (a malformed answer, a model away for too long) is not an error
here: it is a verdict ``ERROR`` and ends as an escalation (ES-05).
"""


class SwarmError(Exception):
    """Root of our errors.

    ``work_order`` is the opaque key, never an id or address; ``hint`` says what a person can do;
    ``http_status`` is what a service answered, where one did.
    """

    http_status: int | None = None

    def __init__(self, message: str, *, work_order: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.work_order = work_order
        self.hint = hint

    def __str__(self) -> str:
        where = f" [work order {self.work_order}]" if self.work_order else ""
        help_ = f" - {self.hint}" if self.hint else ""
        return f"{self.message}{where}{help_}"


class PermanentError(SwarmError):
    """Trying again changes nothing."""


class ConfigurationError(PermanentError):
    """A setting is missing, bad, or forbids starting."""


class MalformedInputError(PermanentError):
    """A mail, a line or a stored artifact cannot be read."""


class RemoteRefusedError(PermanentError):
    """A service answered and said no."""


class FencedOutError(PermanentError):
    """Somebody newer holds this work order; this writer must stop without a trace."""


class RefusedError(PermanentError):
    """A rule of ours forbids the step."""


class TransientError(SwarmError):
    """Trying again later may help."""


class RemoteUnavailableError(TransientError):
    """No answer, a time-out, a 5xx or a reset: whether the service acted is unknown."""


class RateLimitedError(TransientError):
    """The service asked us to wait ``retry_after`` seconds."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float,
        work_order: str | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, work_order=work_order, hint=hint)
        self.retry_after = retry_after


class ModelUnavailableError(RemoteUnavailableError):
    """The model gives no answer to anybody, for a reason no mail is the cause of.

    ``for_good``: until a person mends a key, a name, a setting. ``retry_after``: seconds it asked
    for. ``patient``: asking again in the same run may help.
    """

    def __init__(
        self,
        message: str,
        *,
        for_good: bool = False,
        patient: bool = False,
        retry_after: float = 0.0,
        work_order: str | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, work_order=work_order, hint=hint)
        self.for_good = for_good
        self.patient = patient
        self.retry_after = retry_after


class DatabaseError(SwarmError):
    """Postgres did not do what it was asked; ``sqlstate`` is its code, None without an answer."""

    def __init__(
        self,
        message: str,
        *,
        work_order: str | None = None,
        hint: str = "",
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(message, work_order=work_order, hint=hint)
        self.sqlstate = sqlstate


class DatabaseUnavailableError(DatabaseError, TransientError):
    """Postgres is away, dropped the connection, or cannot do it now."""


class DatabaseRefusedError(DatabaseError, PermanentError):
    """Postgres answered, and says no until somebody mends a table, a right or a value."""
