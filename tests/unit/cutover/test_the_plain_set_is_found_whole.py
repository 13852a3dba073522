"""The gate asks for every line of the plain set: a version that misses one is never cut over."""

import pytest

from swarm.cutover.must_escalate import PLAIN, measure, parts


@pytest.mark.parametrize("part", [name for name in parts() if name.startswith(PLAIN)])
def test_what_is_said_plainly_is_found_under_its_class(part: str) -> None:
    assert [line for count in measure(part).counts for line in count.missed] == []
