"""The whole system in front of a chat model in trouble: one alert, a sentence, nothing lost.

One installation goes through a wrong key, an endpoint that hangs up, one that trickles, and then a
server that answers but takes no JSON schema: everything that waited is drafted then.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from installation import Running, running_up
from model_of_few_abilities import FewAbilities, few_abilities

from swarm.up.programs import any_free_port

pytestmark = [pytest.mark.acceptance, pytest.mark.long]

ASKS_BACK = {
    "claims": [],
    "decline": None,
    "body": "Thank you for your message. Could you please send us the number of your order?",
    "answered": list(range(1, 20)),
}
PATIENCE = 400.0  # a busy machine; seconds on an idle one


@dataclass
class World:
    """An installation and the model it asks."""

    running: Running
    model: FewAbilities

    def status(self) -> dict:
        found = self.running.json("status")
        assert isinstance(found, dict)
        return found

    def states(self) -> dict[str, int]:
        return {name: n for name, n in self.status()["states"].items() if n}

    def broken(self) -> list[str]:
        return [a["detail"] for a in self.status()["alerts"] if a["kind"] == "model.broken"]

    def until(self, reached: Callable[[], object]) -> None:
        """Look until it is so; a test that hangs fails."""
        end = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end, (self.status(), self.model.asked[-1:])
            time.sleep(1.0)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-model-"))
    home, port = folder / "home", any_free_port()
    with few_abilities(status=401, answers={"ProposeAnswer": ASKS_BACK}) as model:
        told = {
            "MODEL_NAME": "few",
            "MODEL_BASE_URL": model.url,
            "MODEL_API_KEY": "a-wrong-key",
            "MODEL_TIMEOUT_SECONDS": "2",
            "QUEUE_MODEL_RETRY_SECONDS": "1",
        }
        with running_up(home, folder / "log", "--port", str(port), shell=told):
            yield World(Running(home, port, {}), model)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_wrong_key_is_one_alert_and_no_mail_is_lost_or_held_back(world: World) -> None:
    world.until(lambda: world.status()["queue"]["waiting_for_model"] >= 3)
    world.until(lambda: world.states().get("escalated", 0) >= 2)  # dangerous: no model is asked
    assert world.broken() == ["the model's endpoint refuses our key (HTTP 401)"]
    assert world.status()["queue"]["dead_letters"] == 0
    said = world.running.swarm("status").stdout
    assert "refuses our key" in said
    assert "wait for it; none is lost" in said


def test_the_doctor_says_it_in_a_sentence(world: World) -> None:
    done = world.running.swarm("doctor")
    assert "refuses our key" in " ".join(done.stdout.split()).replace("│", "").replace("  ", " ")


@pytest.mark.parametrize(
    ("manner", "words"), [("reset", "cannot be reached"), ("drip", "no whole answer in 2 s")]
)
def test_the_alert_says_what_it_is_now(world: World, manner: str, words: str) -> None:
    world.model.status, world.model.manner = 200, manner
    world.until(lambda: any(words in detail for detail in world.broken()))
    assert len(world.broken()) == 1
    assert world.status()["queue"]["dead_letters"] == 0
    assert not world.states().get("published")


def test_all_that_waited_is_drafted_when_it_answers_in_whatever_way(world: World) -> None:
    world.model.manner, world.model.refuses = "plain", frozenset({"json_schema", "tools"})
    world.until(lambda: set(world.states()) <= {"published", "escalated", "held"})
    assert world.broken() == []
    assert world.status()["queue"]["waiting_for_model"] == 0
    assert world.states()["published"] >= 1
