"""What a search finds a mail by goes with the mail, and half a key erases one mail alone."""

from pathlib import Path

import pytest

from swarm.lifecycle.erasure import Eraser
from swarm.observe.review.reading import reading
from swarm.observe.review.search import search
from swarm.store.mail_search import catch_up

pytestmark = pytest.mark.integration

SECRET = "s"


def found(world, typed: str) -> set[str]:
    with reading(world.database) as connection:
        return {mail.key for mail in search(connection, typed, "UTC").mails}


@pytest.fixture
def eraser(world, tmp_path: Path) -> Eraser:
    """Mails of before there was a search, entered by the migrator."""
    world.run("DELETE FROM mail_search")
    assert catch_up(world.database.url) == 3
    assert catch_up(world.database.url) == 0
    return Eraser(world.database, tmp_path, SECRET)


def test_an_erased_mail_is_found_no_more_and_the_others_are(world, eraser: Eraser) -> None:
    assert found(world, "jane@customer.example") == {world.published, world.escalated, world.live}
    done = eraser.erase(world.published, actor="ada", reason="request 12")
    assert done.places["swarm.mail_search"] == 1
    assert done.left == {}
    assert found(world, "jane@customer.example") == {world.escalated, world.live}


def test_half_a_key_erases_the_one_mail_it_begins(world, eraser: Eraser) -> None:
    others = {world.escalated, world.live}
    half = next(
        world.published[:n] for n in range(4, 28)
        if not any(key.startswith(world.published[:n]) for key in others)
    )  # fmt: skip
    done = eraser.erase(half, actor="ada", reason="request 12")
    assert done.work_orders == (world.published,)
    assert done.left == {}
    assert found(world, "jane@customer.example") == others
