"""An installation of any earlier version, with its data, is brought up to date and loses nothing.

Each version's database is made by the migrations it had, and filled with what its program wrote
(``tests/support/rows_of_each_version.sql``); then today's migrations run over it.
"""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from swarm.observe.audit import schema
from swarm.store import embedded, mail_search, migrate
from swarm.store.migrate import scripts

pytestmark = [pytest.mark.integration, pytest.mark.long]

_ROWS = Path(__file__).parents[2] / "support" / "rows_of_each_version.sql"
_VERSIONS = [name for name, _ in scripts()]

MEANT = {
    "swarm_jobs": {"state", "dead_reason"},  # 0011: a dead work order's job is dead as well
    "alerts": {"count", "told"},  # 0008 counts the quarantined, 0022 what was told
    "publisher_lease": {"renewable"},  # 0016: nobody waits to switch any more
    "intake_line": {"status"},  # 0017: what was erased says so
    "publication_ledger": {"delivered_fence"},  # 0007: the Zap holds no guard
}
"""What a migration changes in a row on purpose; everything else stays as it was written."""

GROWING = {"tallies", "mail_search"}
"""What a migration adds to: counts of what there is already, and the index of mails."""

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def versions(postgres_server: str) -> dict[str, str]:
    """Version -> a database of that version with its rows, to be copied and not to be used."""
    made, before = {}, None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mail_search, "catch_up", lambda _: 0)  # the programs of before had none
        for number, name in enumerate(_VERSIONS, start=1):
            database = f"of_{name.partition('_')[0]}"
            url = embedded.create_database(postgres_server, database, template=before)
            patch.setattr(migrate, "scripts", lambda n=number: scripts()[:n])
            assert migrate.migrate(url) == (name,)
            _write(url, name.partition("_")[0])
            made[name], before = database, database
    return made


@pytest.fixture(scope="module")
def today(postgres_server: str) -> dict[str, Any]:
    """The structure of a database that was never older than today."""
    url = embedded.create_database(postgres_server, "of_today", template="template_swarm")
    with _connected(url) as connection:
        return _structure(connection)


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.fault("T62")
def test_every_row_outlives_the_upgrade_and_the_structure_is_that_of_today(
    version: str, versions: dict[str, str], postgres_server: str, today: dict[str, Any]
) -> None:
    url = embedded.create_database(
        postgres_server, f"{versions[version]}_upgraded", template=versions[version]
    )
    before = _rows(url)
    assert any(before.values())
    applied = migrate.migrate(url)
    assert applied == tuple(_VERSIONS[_VERSIONS.index(version) + 1 :])
    after = _rows(url)
    for table, rows in before.items():
        were, are = _known(rows, table), _known(after[table], table, like=rows)
        assert were == are or (table in GROWING and set(were) <= set(are)), table
    with _connected(url) as connection:
        assert list(schema.check(connection, None)) == []
        assert _structure(connection) == today
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute("UPDATE verdicts SET ruling = 'fail'")


def test_every_table_a_program_can_write_has_a_row_that_is_upgraded(
    versions: dict[str, str], postgres_server: str
) -> None:
    """A table without a row here would be upgraded unseen."""
    url = embedded.create_database(
        postgres_server, "of_today_copied", template=versions[_VERSIONS[-1]]
    )
    empty = {table for table, rows in _rows(url).items() if not rows}
    assert empty <= {
        "intake_blanking", "readiness_reports", "gate_results", "certificates",
        "certificate_voids", "cutover_watch", "foreign_writes",
        "must_escalate_measurements", "service_writers",
        "installation_places",
    }  # fmt: skip


def _write(url: str, number: str) -> None:
    """Write what a program of this version could write for the first time."""
    sections = _ROWS.read_text("utf-8").split("-- from ")[1:]
    with psycopg.connect(url, options="-c search_path=swarm,public") as connection:
        for section in sections:
            since, _, statements = section.partition("\n")
            if since.strip() == number:
                connection.execute(statements.encode())


def _rows(url: str) -> Rows:
    with _connected(url) as connection:
        tables = connection.execute(
            "SELECT relname::text AS name FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'swarm'::regnamespace AND relname <> 'schema_migrations'"
        ).fetchall()
        return {
            row["name"]: [
                each["said"]
                for each in connection.execute(
                    f"SELECT to_jsonb(t) AS said FROM swarm.{row['name']} t".encode()
                )
            ]
            for row in tables
        }


def _known(
    rows: list[dict[str, Any]], table: str, *, like: list[dict[str, Any]] | None = None
) -> list[str]:
    """Every row as far as the earlier version knew it, in an order of its own."""
    measure = rows if like is None else like
    columns = set(measure[0]) - MEANT.get(table, set()) if measure else set()
    if not measure:  # a migration may fill what was empty
        return []
    return sorted(str(sorted((k, v) for k, v in row.items() if k in columns)) for row in rows)


def _structure(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    columns = connection.execute(
        "SELECT table_name, column_name, data_type, is_nullable, column_default"
        "  FROM information_schema.columns WHERE table_schema = 'swarm' ORDER BY 1, 2"
    ).fetchall()
    return {**schema.laid_down(connection), "columns": columns}


def _connected(url: str) -> psycopg.Connection[Any]:
    options = "-c search_path=swarm,public"
    return psycopg.connect(url, options=options, row_factory=dict_row)
