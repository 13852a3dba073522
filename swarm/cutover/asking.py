"""Asking the judging process: started for one evaluation, bounded, with next to no environment.

It gets the database (as the role of the gates, where there is one) and nothing else: no hook, no
mailbox, no key. What it does is in ``judge``.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from swarm.cutover.evaluated import WALL_SECONDS, Evaluation, JudgeRequest
from swarm.errors import RefusedError, TransientError
from swarm.settings import Settings

_SECONDS = WALL_SECONDS + 10.0
_MOST_ANSWER = 64 << 20
_HANDED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")


def evaluation(settings: Settings, request: JudgeRequest) -> Evaluation:
    """Return what the judging process answers.

    Raises ``RefusedError`` with its words when it was refused, ``TransientError`` when it died or
    took too long: nothing is known then, and nothing was kept but what it had finished.
    """
    core = settings.core
    url = (core.gates_database_url or core.database_url).get_secret_value()
    code, said = _run(request, _environment(url))
    if code == 0:
        return Evaluation.model_validate_json(said)
    try:
        problem = json.loads(said)
        raise RefusedError(str(problem["error"]), hint=str(problem["hint"] or ""))
    except (ValueError, KeyError, TypeError):
        raise TransientError(
            f"the judging process ended with {code} and said nothing", hint="try again"
        ) from None


def _environment(url: str) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    return {**kept, "DATABASE_URL": url, "MPLBACKEND": "Agg", "MPLCONFIGDIR": "/dev/null/none"}


def _run(request: JudgeRequest, environment: Mapping[str, str]) -> tuple[int, bytes]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "swarm.cutover.judge"],
            input=request.model_dump_json().encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=_SECONDS,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise TransientError("judging took too long", hint="it is stopped; try again") from None
    return done.returncode, done.stdout[:_MOST_ANSWER]
