"""Which messages are made of the alerts a sink must be told: one each, or one for a storm. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from swarm.store.alert_deliveries import Due, Lately
from swarm.store.alert_kinds import known_kind


class Batch(NamedTuple):
    """Alerts of one kind that one message tells of.

    ``bundle`` names a digest; None: it is one alert. ``over``: nothing more will be told of them.
    """

    alerts: tuple[Due, ...]
    bundle: str | None = None
    over: bool = False

    @property
    def kind(self) -> str:
        """The kind of all of them."""
        return self.alerts[0].kind


def batches(due: Sequence[Due], lately: Mapping[str, Lately], *, storm: int) -> tuple[Batch, ...]:
    """Return what to tell, what pages first.

    ``lately`` is what the sink was told of each kind within ten minutes, ``storm`` how many
    messages of a kind it gets in that time before the rest become one. While a storm goes on
    further alerts of its kind wait for the next digest: nobody needs a third message about it.
    """
    found = [*_new(due, lately, storm), *_grown(due), *_over(due)]
    return tuple(sorted(found, key=lambda b: (not known_kind(b.kind).pages, b.alerts[0].id)))


def _new(due: Sequence[Due], lately: Mapping[str, Lately], storm: int) -> Iterator[Batch]:
    new = sorted((each for each in due if not each.told), key=lambda each: (each.kind, each.id))
    for kind, group in groupby(new, key=lambda each: each.kind):
        alerts, told = tuple(group), lately.get(kind, Lately())
        if len(alerts) + told.alone <= storm and not told.digests:
            news = known_kind(kind).news
            yield from (Batch((e,), over=news or e.resolved_at is not None) for e in alerts)
        elif not told.digests:
            ended = all(each.resolved_at is not None for each in alerts)
            yield Batch(alerts, f"digest:{kind}:{alerts[0].id}", over=ended)


def _grown(due: Sequence[Due]) -> Iterator[Batch]:
    return (Batch((each,)) for each in due if each.told and each.resolved_at is None)


def _over(due: Sequence[Due]) -> Iterator[Batch]:
    ended = [each for each in due if each.told and each.resolved_at is not None]
    yield from (Batch((each,), over=True) for each in ended if each.bundle is None)
    of_digests = sorted(
        (e for e in ended if e.bundle), key=lambda each: (each.bundle or "", each.id)
    )
    for bundle, group in groupby(of_digests, key=lambda each: each.bundle):
        yield Batch(tuple(group), bundle, over=True)
