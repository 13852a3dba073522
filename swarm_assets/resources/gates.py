"""The gates as Dagster asks them: judge, watch, drill. No hook here: it gives back, never posts."""

from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from swarm.cutover import asking, drill, looks, watch
from swarm.cutover.drill import Drill
from swarm.cutover.evaluated import Evaluation, JudgeRequest
from swarm.cutover.watch import Watched
from swarm.settings import Settings
from swarm.store.database import Database
from swarm_assets.resources import process


@dataclass(frozen=True, slots=True)
class Gates:
    """The judging process of this installation, and what follows from what it says."""

    settings: Settings
    database: Database

    @property
    def ui_url(self) -> str:
        """Where links lead."""
        return self.settings.core.ui_url

    def due(self) -> datetime | None:
        """Return the planned look that is due now."""
        with self.database.transaction() as connection:
            return looks.due(connection)

    def judge(self, look: str | None) -> Evaluation:
        """Evaluate at a planned look, or in between; with pictures."""
        at = datetime.fromisoformat(look) if look else None
        return asking.evaluation(self.settings, self._request(look=at, pictures=True))

    def watched(self) -> bool:
        """Whether swarm publishes, so that the gates must go on being asked."""
        with self.database.transaction() as connection:
            return watch.since(connection) is not None

    def watch(self) -> Watched | None:
        """Look over the rolling window once; None while swarm does not publish."""
        with self.database.transaction() as connection:
            since = watch.since(connection)
        if since is None:
            return None
        request = self._request(since=since)
        found = asking.evaluation(self.settings, request)
        return watch.conclude(self.database, found, auto_rollback=self.settings.core.auto_rollback)

    def drill_due(self) -> bool:
        """Whether today's drill of the way back is still to be done."""
        with self.database.transaction() as connection:
            return drill.due(connection)

    def drill(self) -> Drill:
        """Rehearse the way back as a dry run, and keep the record."""
        return drill.drill(self.database)

    def _request(self, **asked: object) -> JudgeRequest:
        home = str(self.settings.core.swarm_home.absolute())
        return JudgeRequest.model_validate({"home": home, **asked})


@dg.resource(description="The readiness gates: judged in a process of their own, without a hook.")
def gates(_context: dg.InitResourceContext) -> Gates:
    """Return the gates of this installation."""
    return Gates(process.settings(), process.database())
