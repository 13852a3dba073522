"""Files of history into real tables: once each, in batches, never live, refused when erased."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from invented_history import write

from swarm.intake.stream.keys import work_order_key
from swarm.lifecycle.erasure import Eraser
from swarm.shadow.history.importing import Files, Importer, ImportReport
from swarm.shadow.history.mapping import mapping_of
from swarm.store.database import Database

pytestmark = pytest.mark.integration

SECRET = "a secret of tests"
LIVE = ("work_orders", "swarm_jobs", "artifacts", "escalations", "publication_ledger", "alerts")
SHADOW = ("history_orders", "legacy_outcomes", "reply_outcomes", "danger_labels", "history_imports")

Take = Callable[..., ImportReport]


@pytest.fixture
def take(database: Database) -> Take:
    importer = Importer(database, SECRET, mapping_of(None), "test", "Customer Service")

    def taken(*files: Path, dry_run: bool = False, **more: Path) -> ImportReport:
        return importer.take_in(Files(*files, **more), dry_run=dry_run)

    return taken


def counts(database: Database, tables: tuple[str, ...] = SHADOW) -> dict[str, int]:
    with database.transaction() as connection:
        return {
            table: connection.execute(f"SELECT count(*) AS n FROM {table}").fetchone()["n"]  # type: ignore[index]
            for table in tables
        }


def lines(folder: Path, name: str, *entries: object) -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return file


def test_history_is_taken_in_and_nothing_of_it_is_live(
    database: Database, tmp_path: Path, take: Take
) -> None:
    report = take(*write(tmp_path, 40))
    assert report.files["orders"].counts == report.files["outbox"].counts == {"new": 40}
    assert counts(database)["history_orders"] == counts(database)["legacy_outcomes"] == 40
    assert counts(database, LIVE) == dict.fromkeys(LIVE, 0)


def test_the_same_files_twice_change_nothing(
    database: Database, tmp_path: Path, take: Take
) -> None:
    files = write(tmp_path, 20)
    sent = lines(tmp_path, "sent", {"id": "old-00003", "text": "We open at nine."})
    labels = lines(tmp_path, "labels", {"id": "old-00003", "classes": ["legal"]})
    take(*files, sent=sent, labels=labels)
    before = counts(database)
    report = take(*files, sent=sent, labels=labels)
    assert report.number is None
    assert {k: r.counts for k, r in report.files.items()} == {
        "orders": {"known": 20},
        "outbox": {"known": 20},
        "sent": {"known": 1},
        "labels": {"known": 1},
    }
    assert counts(database) == before


def test_a_dry_run_says_the_same_and_writes_nothing(
    database: Database, tmp_path: Path, take: Take
) -> None:
    files = write(tmp_path, 20)
    dry = take(*files, dry_run=True)
    assert set(counts(database).values()) == {0}
    real = take(*files)
    assert {k: r.counts for k, r in dry.files.items()} == {
        k: r.counts for k, r in real.files.items()
    }


def test_an_import_that_was_cut_short_is_gone_on_with(
    database: Database, tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write(tmp_path, 1200)
    from swarm.shadow.history import importing  # noqa: PLC0415

    real, calls = importing.rows.add_orders, []

    def dying(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(importing.rows, "add_orders", dying)
    with pytest.raises(KeyboardInterrupt):
        take(*files)
    assert 0 < counts(database)["history_orders"] < 1200
    monkeypatch.setattr(importing.rows, "add_orders", real)
    take(*files)
    assert counts(database)["history_orders"] == counts(database)["legacy_outcomes"] == 1200
    assert counts(database)["history_imports"] == 1


def test_what_does_not_fit_is_named_by_its_line(tmp_path: Path, take: Take) -> None:
    orders, outbox = write(tmp_path, 3)
    whole = orders.read_text().splitlines()
    orders.write_text(
        "\n".join([whole[0], "{broken", whole[0], whole[1], "x" * (2 << 20), whole[2]])
    )
    outbox.write_text(outbox.read_text() + json.dumps({"id": "nobody", "decision": "draft"}) + "\n")
    report = take(orders, outbox)
    assert report.files["orders"].counts == {"misfit": 2, "new": 3, "twice": 1}
    told = [(each.line, each.reason) for each in report.files["orders"].misfits]
    assert told == [(2, "not JSON"), (5, "longer than 1048576 bytes")]
    assert report.files["outbox"].counts == {"new": 3, "orphan": 1}


def test_a_live_work_order_is_no_history(database: Database, tmp_path: Path, take: Take) -> None:
    orders, outbox = write(tmp_path, 2)
    key = work_order_key(SECRET, "old-00000")
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body) VALUES (%s, 'old-00000', '{}')",
            (key,),
        )
    report = take(orders, outbox)
    assert report.files["orders"].counts == {"live": 1, "new": 1}
    assert report.files["outbox"].counts == {"live": 1, "new": 1}


def test_what_was_sent_tells_what_a_person_did(
    database: Database, tmp_path: Path, take: Take
) -> None:
    orders, outbox = write(tmp_path, 40)
    decided = [json.loads(line) for line in outbox.read_text().splitlines()]
    drafted = [one for one in decided if one["decision"] == "draft"]
    refused = next(one for one in decided if one["decision"] == "escalate")
    unchanged, edited, rewritten, thrown = drafted[:4]
    sent = lines(
        tmp_path, "sent",
        {"id": unchanged["id"], "text": unchanged["body_text"] + "\n\n"},
        {"id": edited["id"], "text": edited["body_text"].replace(",", ", really,", 1)},
        {"id": rewritten["id"], "text": "No."},
        {"id": thrown["id"], "act": "discarded"},
        {"id": refused["id"], "text": "A person wrote this.", "sent_at": "2026-06-01T10:00:00Z"},
    )  # fmt: skip
    take(orders, outbox, sent=sent)
    with database.transaction() as connection:
        rows = connection.execute("SELECT work_order_key, act, publisher FROM reply_outcomes")
        found = {row["work_order_key"]: (row["act"], row["publisher"]) for row in rows}
    asked = [*drafted[:4], refused]
    assert {one["id"]: found[work_order_key(SECRET, one["id"])] for one in asked} == {
        unchanged["id"]: ("sent_unchanged", "legacy"),
        edited["id"]: ("sent_edited", "legacy"),
        rewritten["id"]: ("rewritten", "legacy"),
        thrown["id"]: ("discarded", "legacy"),
        refused["id"]: ("answered_otherwise", None),
    }  # fmt: skip


def erase(database: Database, home: Path, name: str):  # type: ignore[no-untyped-def]
    eraser = Eraser(database, home, SECRET)
    return eraser.erase(name, actor="dpo", reason="ticket 7")


@pytest.mark.parametrize("name", ["old-00001@customer.example", "old-00001"])
def test_an_erasure_finds_history_and_it_never_comes_back(
    database: Database, tmp_path: Path, take: Take, name: str
) -> None:
    files = write(tmp_path, 3)
    sent = lines(tmp_path, "sent", {"id": "old-00001", "text": "We open at nine, Kim Berg."})
    labels = lines(tmp_path, "labels", {"id": "old-00001", "classes": []})
    take(*files, sent=sent, labels=labels)
    home = tmp_path / "home"
    (home / "intake").mkdir(parents=True)
    done = erase(database, home, name)
    assert done.work_orders == (work_order_key(SECRET, "old-00001"),)
    assert done.left == {}
    left = counts(database)
    assert (left["history_orders"], left["legacy_outcomes"]) == (2, 2)
    assert (left["reply_outcomes"], left["danger_labels"]) == (0, 0)
    again = take(*files, sent=sent, labels=labels)
    assert again.files["orders"].counts == {"erased": 1, "known": 2}
    assert again.files["outbox"].counts == {"erased": 1, "known": 2}
    assert again.files["sent"].counts == again.files["labels"].counts == {"erased": 1}
    assert counts(database) == left
