"""The judging process: ``python -m swarm.cutover.judge``, told what to do on standard input.

A process of its own because pandas, scipy and matplotlib would stay in a worker's memory for ever,
and because it may be given a database role of its own and no key to anything else. It answers with
an ``Evaluation`` as JSON, or with ``{"error", "hint"}`` and exit code 2. Ends with its parent.
"""

import json
import os
import signal
import sys
from pathlib import Path

from swarm.cutover.evaluated import WALL_SECONDS, Evaluation, JudgeRequest
from swarm.cutover.evaluation import evaluate_now
from swarm.cutover.pictures import drawn
from swarm.errors import SwarmError
from swarm.process_identity import end_with
from swarm.store.database import Database


def main() -> int:
    """Answer one request."""
    signal.alarm(WALL_SECONDS)
    end_with(os.getppid())
    request = JudgeRequest.model_validate_json(sys.stdin.buffer.read())
    try:
        answer = judged(os.environ["DATABASE_URL"], request)
    except SwarmError as error:
        sys.stdout.write(json.dumps({"error": error.message, "hint": error.hint}))
        return 2
    sys.stdout.write(answer.model_dump_json())
    return 0


def judged(url: str, request: JudgeRequest) -> Evaluation:
    """Evaluate what is asked for, with pictures if they are."""
    database = Database(url, max_connections=2)
    try:
        evaluation, read = evaluate_now(
            database, Path(request.home), look=request.look, since=request.since, keep=request.keep
        )
        if not request.pictures:
            return evaluation
        return evaluation.model_copy(update={"pictures": drawn(read)})
    finally:
        database.close()


if __name__ == "__main__":
    sys.exit(main())
