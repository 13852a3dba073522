"""Do two hostile mails hold up forty normal ones?

Starts a fresh installation (rules, sandbox) and times forty customers' mails that arrive at once,
from the stream until all are final; then, shape by shape, forty more with two mails of 400 kB among
them, made to take a worker.

    .venv/bin/python bench/hostile_mail.py [--shapes 10] [--workers 2]

Target: the normal ones end within twice the time they need without them, the hostile ones too end.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))  # the shapes live there
from hostile_mails import PAGES, SIZE, TEN_SHAPES, TEXTS
from throughput import Installation, line, running, wait, warm_up

NORMAL, HOSTILE, TARGET = 40, 2, 2.0
REAPED = "SELECT count(*) FROM swarm.workflow_events WHERE kind = 'run.reaped'"


def main() -> int:
    options = arguments()
    with (
        tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder,
        running(Path(folder) / "home", options.workers) as installation,
    ):
        warm_up(installation)
        alone = timed(installation, "alone", [])
        print(f"{'alone':<44}{alone:6.1f} s")
        ratios = list(among(installation, options.shapes, alone))
        reaped = int(str(installation.rows(REAPED)[0][0]))
    print(f"worst {max(ratios):.2f} times (target {TARGET}), runs reaped: {reaped}")
    return 0 if max(ratios) <= TARGET and not reaped else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=len(TEN_SHAPES))
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def among(installation: Installation, shapes: int, alone: float) -> Iterator[float]:
    """Yield, for each shape, how many times longer the normal ones took."""
    for number, (kind, shape) in enumerate(TEN_SHAPES[:shapes]):
        body = (TEXTS if kind == "text" else PAGES)[shape](SIZE)
        took = timed(installation, f"s{number}", [hostile(kind, body)] * HOSTILE)
        wait(lambda n=number: installation.final(f"bench-hostile-s{n}-%") == HOSTILE, 900)
        print(f"{kind + ', ' + shape:<44}{took:6.1f} s {took / alone:6.2f} times")
        yield took / alone


def hostile(kind: str, body: str) -> dict[str, str]:
    return {"body_text": body} if kind == "text" else {"body_text": "", "body_html": body}


def timed(installation: Installation, batch: str, bodies: list[dict[str, str]]) -> float:
    """Write hostile mails, then normal ones; return the seconds until the normal ones are final."""
    lines = [
        json.dumps(json.loads(line(f"bench-hostile-{batch}-{n}", installation.control)) | body)
        for n, body in enumerate(bodies)
    ]
    lines += [line(f"bench-normal-{batch}-{n}", installation.control) for n in range(NORMAL)]
    began = time.monotonic()
    with (installation.home / "intake" / "work_orders.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("".join(f"{text}\n" for text in lines))
    wait(lambda: installation.final(f"bench-normal-{batch}-%") == NORMAL, 900)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
