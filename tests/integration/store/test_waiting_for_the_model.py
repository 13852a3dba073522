"""A work order waits for the model without counting as failed; one alert stands meanwhile."""

import pytest

from swarm.models import ModelCall, WorkOrderState
from swarm.store.alerts import MODEL, open_alerts
from swarm.store.database import Database
from swarm.store.event_chain import verify_chain
from swarm.store.model_ledger import settle_forgotten_models
from swarm.store.postgres import PostgresStore
from swarm.store.queue import JobState

pytestmark = pytest.mark.integration

ENDPOINT = "openai/m at host"


def put_off(bench, name: str = "bc", at_least: float = 0.0) -> str:
    fence = bench.started(name, f"run-{name}")
    assert bench.queue.put_off(fence, "the model is away", at_least=at_least) is JobState.QUEUED
    return fence.work_order_key


def requested(bench) -> list[str]:
    return [request.work_order_key for request in bench.queue.request_due(50)]


def test_waiting_counts_no_failure_and_remembers_its_beginning(bench) -> None:
    key = put_off(bench)
    first = bench.job(key)
    assert (first.state, first.failures, first.last_error) == ("queued", 0, "the model is away")
    bench.pass_time(30)
    for attempt in range(2, 12):
        (request,) = bench.queue.request_due(5)
        fence = bench.queue.open(key, f"run-{attempt}", request.attempt)
        bench.queue.put_off(fence, "the model is away")
        bench.pass_time(100)
    after = bench.job(key)
    assert (after.state, after.failures, after.waiting_since) == ("queued", 0, first.waiting_since)
    assert bench.store.state(key) is WorkOrderState.ACCEPTED
    assert verify_chain(bench.store.events(key)) == ()


def test_it_is_not_due_before_its_time_nor_before_the_model_asked_for(bench) -> None:
    soon, later = put_off(bench, "b"), put_off(bench, "c", at_least=50)
    assert requested(bench) == []
    bench.pass_time(26)
    assert requested(bench) == [soon]
    bench.pass_time(40)
    assert later in requested(bench)


def test_how_long_it_has_waited_is_known_until_it_is_decided(bench) -> None:
    assert bench.store.waited("wo_" + "z" * 24) == 0.0
    key = put_off(bench)
    bench.pass_time(30)
    (request,) = bench.queue.request_due(5)
    fence = bench.queue.open(key, "run-2", request.attempt)
    assert bench.store.waited(key) > 0
    bench.store.close(fence, WorkOrderState.HELD, "decided")
    assert bench.store.waited(key) == 0.0


def test_a_void_fence_puts_nothing_off(bench) -> None:
    fence = bench.started()
    bench.queue.fail(fence, "gone", retryable=True)
    before = bench.job(fence.work_order_key)
    bench.queue.put_off(fence, "the model is away")
    assert bench.job(fence.work_order_key) == before


def test_an_abilitys_trouble_is_counted_and_an_answer_ends_it(bench) -> None:
    store = bench.store
    assert store.model_endpoint(ENDPOINT).abilities is None
    store.remember_abilities(ENDPOINT, {"rung": "tool"})
    seen = []
    for _ in range(3):
        store.model_failed(ENDPOINT, "it fails (HTTP 503)", for_good=False)
        seen.append(store.model_endpoint(ENDPOINT).broken)
    assert seen == [False, False, True]
    store.model_answered(ENDPOINT)
    known = store.model_endpoint(ENDPOINT)
    assert (known.broken, known.troubles, known.abilities) == (False, 0, {"rung": "tool"})
    store.model_failed(ENDPOINT, "it refuses our key (HTTP 401)", for_good=True)
    assert store.model_endpoint(ENDPOINT).broken


def test_cached_tokens_are_kept_with_a_call(bench) -> None:
    call = ModelCall(
        work_order_key=bench.queued(), purpose="qa", request_sha256="r" * 64, model="m",
        prompt_sha256="p" * 64, answer={}, input_tokens=9, cached_tokens=7,
    )  # fmt: skip
    bench.store.record_model_call(call)
    found = bench.store.model_call(call.work_order_key, "qa", "r" * 64)
    assert found == call


# --- on Postgres alone: the alert, and who may try whether the model is back ---------------------


@pytest.fixture
def waiting(on_postgres):
    return on_postgres, [put_off(on_postgres, name) for name in ("b", "c", "d", "e", "f")]


def alerts_of(database: Database) -> list[tuple[str, str, str, int]]:
    with database.transaction() as connection:
        return [(a.kind, a.subject, a.detail, a.count) for a in open_alerts(connection)]


def test_one_incident_grows_and_is_over_with_an_answer(database: Database) -> None:
    store = PostgresStore(database)
    for _ in range(4):
        store.model_failed(ENDPOINT, "it refuses our key", for_good=True)
    assert alerts_of(database) == [(MODEL, ENDPOINT, "it refuses our key", 4)]
    store.model_answered(ENDPOINT)
    assert alerts_of(database) == []


def test_while_it_is_broken_few_try_and_new_mail_is_not_kept_from_its_turn(waiting) -> None:
    bench, keys = waiting
    bench.store.model_failed(ENDPOINT, "it refuses our key", for_good=True)
    bench.pass_time(60)
    fresh = bench.queued("g")
    assert len(set(requested(bench)) & set(keys)) == 2
    assert fresh in requested(bench)
    assert len(set(requested(bench)) & set(keys)) == 2, "those two are under way"


def test_who_tried_last_tries_again_last(waiting) -> None:
    """Two mails that break a server themselves must not keep the others from finding it well."""
    bench, keys = waiting
    bench.store.model_failed(ENDPOINT, "it refuses our key", for_good=True)
    tried: set[str] = set()
    for turn in range(3):
        bench.pass_time(70)
        for request in bench.queue.request_due(50):
            fence = bench.queue.open(
                request.work_order_key, f"run-{turn}-{request.run_key}", request.attempt
            )
            bench.queue.put_off(fence, "the model is away")
            tried.add(request.work_order_key)
    assert tried == set(keys)


def test_all_go_on_when_it_answers(waiting) -> None:
    bench, keys = waiting
    bench.store.model_failed(ENDPOINT, "it refuses our key", for_good=True)
    bench.store.model_answered(ENDPOINT)
    bench.pass_time(60)
    assert set(requested(bench)) == set(keys)


def test_whoever_waited_too_long_is_not_held_back(waiting, database: Database) -> None:
    bench, keys = waiting
    bench.store.model_failed(ENDPOINT, "it refuses our key", for_good=True)
    bench.pass_time(60)
    with database.transaction() as connection:
        connection.execute("UPDATE swarm_jobs SET waiting_since = now() - interval '2 hours'")
    assert set(requested(bench)) == set(keys)


def test_an_alert_about_a_model_nobody_asks_any_more_ends(database: Database) -> None:
    store = PostgresStore(database)
    store.model_failed(ENDPOINT, "it refuses our key", for_good=True)
    with database.transaction() as connection:
        assert settle_forgotten_models(connection) == 0
        connection.execute("UPDATE model_endpoints SET trouble_at = now() - interval '1 hour'")
        assert settle_forgotten_models(connection) == 1
    assert alerts_of(database) == []
