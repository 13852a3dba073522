"""A real database whose server answers chosen transactions with a chosen SQLSTATE."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg import sql

from swarm.store.database import Connection, Database

# What a server, an operator, a failover, a full disk or a forgotten migration answers with.
TRANSIENT = (
    "08000", "08003", "08006", "08P01",
    "25006", "25P03", "25P04",
    "40001", "40003", "40P01",
    "53000", "53100", "53200", "53300", "53400",
    "55000", "55006", "55P03",
    "57000", "57014", "57P01", "57P02", "57P03", "57P04", "57P05",
    "58000", "58030", "58P01",
    "72000", "F0000", "F0001", "XX000", "XX001", "XX002",
)  # fmt: skip
PERMANENT = (
    "0A000", "22001", "22003", "22021", "22P02", "22P05",
    "23502", "23503", "23505", "23514", "25P02", "28000", "28P01", "2F003",
    "3D000", "3F000", "42501", "42601", "42703", "42883", "42P01", "42P18",
    "54000", "54001", "P0001", "P0002", "99999",
)  # fmt: skip

_RAISE = "DO $$ BEGIN RAISE EXCEPTION 'value of a mail' USING ERRCODE = {}; END $$"


class TroubledDatabase(Database):
    """``sqlstate_of(n)`` names what the n-th transaction is answered with; None: nothing."""

    transactions = 0
    after_the_work = False
    sqlstate_of: Callable[[int], str | None] = staticmethod(lambda _number: None)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self.transactions += 1
        sqlstate = self.sqlstate_of(self.transactions)
        with super().transaction() as connection:
            if sqlstate and not self.after_the_work:
                connection.execute(sql.SQL(_RAISE).format(sql.Literal(sqlstate)))
            yield connection
            if sqlstate and self.after_the_work:
                connection.execute(sql.SQL(_RAISE).format(sql.Literal(sqlstate)))
