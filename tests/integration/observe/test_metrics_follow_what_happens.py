"""A scrape says what is there and what happened, and its counters never fall."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from scraping import Scrape, scraped

from swarm.lifecycle.erasure import Eraser
from swarm.models import ModelCall
from swarm.observe.metrics import tallies
from swarm.observe.metrics.reading import METRICS
from swarm.store.alerts import raise_alert
from swarm.store.database import Database
from swarm.store.migrate import scripts

pytestmark = pytest.mark.integration

CALL = ModelCall(
    work_order_key="",
    purpose="propose",
    request_sha256="r",
    model="a-model",
    prompt_sha256="p",
    answer="x",
    input_tokens=100,
    cached_tokens=40,
    output_tokens=20,
    cost=0.25,
    latency_ms=4200,
)


def test_every_sample_belongs_to_a_metric_that_is_told_of(world, tmp_path: Path) -> None:
    known = {metric.name.removesuffix("_total"): metric for metric in METRICS}
    for family in scraped(world.database, tmp_path).families:
        assert family.name in known
        assert family.documentation == known[family.name].help
        assert family.type == known[family.name].kind


def test_an_empty_database_is_told_in_zeros(database: Database, tmp_path: Path) -> None:
    now = scraped(database, tmp_path)
    assert now("swarm_up") == 1
    assert now("swarm_queue_oldest_seconds") == 0
    assert now("swarm_work_orders", state="held") == 0
    assert now("swarm_publications", state="UNKNOWN") == 0
    assert now("swarm_publisher_active", publisher="none") == 1
    assert now("swarm_cutover_allowed") == 0
    assert now.get("swarm_drafts_sent_unchanged_ratio") is None
    assert now("swarm_home_free_ratio") > 0


def test_what_goes_wrong_shows(world, tmp_path: Path) -> None:
    world.queue.fail(world.opened(world.live), "boom", retryable=False)
    world.run("UPDATE escalations SET acknowledge_by = now() - interval '1 minute'")
    world.run(
        "UPDATE publication_ledger SET state = 'UNKNOWN', changed_at = now() - interval '1 hour'"
    )
    now = scraped(world.database, tmp_path)
    assert now("swarm_dead_letters") == now("swarm_work_orders", state="dead") == 1
    assert now("swarm_runs_total", event="failed") == 1
    assert now("swarm_escalations_unacknowledged") == now("swarm_escalations_overdue") == 1
    assert now("swarm_escalation_overdue_seconds") >= 60
    assert now("swarm_publications", state="UNKNOWN") == 1
    assert now("swarm_publication_oldest_seconds", state="UNKNOWN") >= 3600
    assert now("swarm_alerts_open", kind="work_order.dead") == 1
    assert now("swarm_alerts_undelivered") >= 1
    assert now("swarm_alerts_total", kind="work_order.dead") == 1


def test_what_happened_is_counted_once(world, tmp_path: Path) -> None:
    now = scraped(world.database, tmp_path)
    assert now("swarm_runs_total", event="opened") == 3
    assert now("swarm_work_orders_moved_total", state="published") == 1
    assert now("swarm_work_orders_moved_total", state="escalated") == 1
    assert now("swarm_intake_lines_total", stream="work_orders", status="accepted") == 3
    assert now("swarm_publications_ended_total", publisher="swarm", state="CONFIRMED") == 1
    assert now("swarm_jobs_in_flight") == 1
    again = scraped(world.database, tmp_path)  # by now the deltas are folded
    assert counters(again) == counters(now)


def test_a_transaction_that_is_taken_back_counts_nothing(world, tmp_path: Path) -> None:
    before = counters(scraped(world.database, tmp_path))
    with suppress(RuntimeError), world.database.transaction() as connection:
        raise_alert(connection, "queue.backlog", "x", "y")
        raise RuntimeError
    assert counters(scraped(world.database, tmp_path)) == before


def test_the_time_from_line_to_draft_is_a_histogram(world, tmp_path: Path) -> None:
    told = [s for f in scraped(world.database, tmp_path).families for s in f.samples]
    buckets = [s for s in told if s.name == "swarm_line_to_draft_seconds_bucket"]
    assert [s.value for s in buckets] == sorted(s.value for s in buckets)
    assert buckets[-1].labels == {"publisher": "swarm", "le": "+Inf"}
    assert buckets[-1].value == 1
    assert next(s for s in told if s.name == "swarm_line_to_draft_seconds_count").value == 1


def test_a_model_call_is_counted_with_its_tokens_its_cost_and_its_time(
    world, tmp_path: Path
) -> None:
    fence = world.opened(world.live)
    call = CALL.model_copy(update={"work_order_key": fence.work_order_key})
    for number in range(2):
        world.store.record_model_call(call.model_copy(update={"request_sha256": str(number)}))
    world.store.record_model_call(call.model_copy(update={"request_sha256": "0"}))  # known already
    now = scraped(world.database, tmp_path)
    assert now("swarm_model_tokens_total", model="a-model", part="input") == 200
    assert now("swarm_model_tokens_total", model="a-model", part="cached") == 80
    assert now("swarm_model_cost_total", model="a-model") == 0.5
    labels = {"model": "a-model", "purpose": "propose"}
    assert now("swarm_model_latency_seconds_bucket", le="3", **labels) == 0
    assert now("swarm_model_latency_seconds_bucket", le="5", **labels) == 2
    assert now("swarm_model_latency_seconds_sum", **labels) == pytest.approx(8.4)


def test_an_erasure_makes_no_counter_fall(world, tmp_path: Path) -> None:
    before = counters(scraped(world.database, tmp_path))
    Eraser(world.database, tmp_path, "s").erase(world.published, actor="ada", reason="asked")
    after = counters(scraped(world.database, tmp_path))
    assert {name: after[name] for name in before} == before


def test_writers_that_race_with_who_folds_lose_nothing(database: Database, tmp_path: Path) -> None:
    """Each raises its own alerts while two processes fold all the time."""
    writing = threading.Event()
    writing.set()

    def write(name: str) -> None:
        for number in range(40):
            with database.transaction() as connection:
                raise_alert(connection, "queue.backlog", f"{name}-{number}", "x")

    def fold() -> None:
        while writing.is_set():
            tallies.fold(database, limit=7)

    folders = [threading.Thread(target=fold) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in (*folders, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in folders:
        thread.join()
    assert scraped(database, tmp_path)("swarm_alerts_total", kind="queue.backlog") == 80


def test_what_was_there_before_the_migration_is_counted_by_it(world, tmp_path: Path) -> None:
    """The part of the migration that looks back comes to what its triggers counted."""
    before = counters(scraped(world.database, tmp_path))
    sql = dict(scripts())["0062_tallies.sql"]
    looks_back = sql[sql.index("INSERT INTO tallies\n") : sql.index("-- What is asked")]
    world.run("DELETE FROM tallies")
    world.run("DELETE FROM tally_deltas")
    with world.database.transaction() as connection:
        connection.execute(looks_back)
    after = counters(scraped(world.database, tmp_path))
    timed = {name for name, _ in before if name.startswith("swarm_line_to_draft")}
    assert {k: v for k, v in after.items() if k[0] not in timed} == {
        k: v for k, v in before.items() if k[0] not in timed
    }


def test_the_bounds_of_the_histograms_are_those_of_the_triggers(database: Database) -> None:
    sql = dict(scripts())["0062_tallies.sql"]
    for histogram in tallies.HISTOGRAMS:
        bounds = ",".join(f"{bound:g}" for bound in histogram.bounds)
        assert sql.count("{" + bounds + "}") == 2, histogram.name  # trigger, and looking back


def test_what_of_a_stream_is_unread_is_measured_at_its_file(world, tmp_path: Path) -> None:
    (tmp_path / "intake").mkdir()
    stream = tmp_path / "intake" / "work_orders.jsonl"
    stream.write_text("x" * 100)
    os.utime(stream, (time.time(), time.time() - 50))
    world.run(
        "INSERT INTO intake_offset (stream, generation, byte_offset, marker_sha256, prefix_length,"
        " prefix_sha256) VALUES ('work_orders', 1, 60, '', 0, '')"
    )
    now = scraped(world.database, tmp_path)
    by_us = {"reader": "tables", "stream": "work_orders"}
    assert now("swarm_stream_unread_bytes", **by_us) == 40
    assert now("swarm_stream_lag_seconds", **by_us) >= 50
    assert now("swarm_stream_unread_bytes", reader="tables", stream="ignored") == 0
    assert now.get("swarm_stream_unread_bytes", reader="publish_sender", stream="outbox") is None
    assert now.get("swarm_legacy_heartbeat_seconds", program="publish_sender") is None


def test_a_machine_without_the_files_says_nothing_of_them(world, tmp_path: Path) -> None:
    names = scraped(world.database, tmp_path).names
    assert "swarm_stream_unread_bytes" not in names


def test_no_metric_names_a_work_order_or_says_what_a_mail_says(world, tmp_path: Path) -> None:
    text = scraped(world.database, tmp_path).text
    assert not any(word in text for word in ("wo_", "jane@", "parcel"))


def counters(scrape: Scrape) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    kinds = {family.name: family.type for family in scrape.families}
    counted = {name for name, kind in kinds.items() if kind in ("counter", "histogram")}
    return {
        key: value
        for key, value in scrape.samples.items()
        if any(key[0].startswith(name) for name in counted)
    }
