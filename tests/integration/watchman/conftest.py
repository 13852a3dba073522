"""A chat and a pager that are real HTTP servers, and whoever tells them."""

from collections.abc import Iterator

import pytest
from told import Chat, Make, chat, houses


@pytest.fixture
def slack() -> Iterator[Chat]:
    with chat() as running:
        yield running


@pytest.fixture
def pager() -> Iterator[Chat]:
    with chat() as running:
        yield running


@pytest.fixture
def make() -> Iterator[Make]:
    with houses() as making:
        yield making
