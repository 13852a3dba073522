"""How long does the readiness report of 100,000 comparisons take, and how much memory?

    .venv/bin/python bench/readiness_report.py [--comparisons 100000]

Invented rows in an embedded Postgres of its own; the judging process is the one production starts,
measured from outside: wall clock, and its peak resident memory as the kernel counted it.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from swarm.cutover import must_escalate
from swarm.safety import ruleset
from swarm.stages.engine import Engine
from swarm.store import embedded
from swarm.store.migrate import migrate

ENGINE = Engine(ruleset=ruleset.VERSION, specialist="rules@1", house="h", code="c")
CLASSES = ["complaint", "legal", "safety", "fraud", "privacy", "vulnerable", "press",
           "money_dispute", "human_requested"]  # fmt: skip

_MOST_SECONDS, _MOST_MEGABYTES = 60.0, 1024.0

_BEAT = """
INSERT INTO engine_heartbeats (process, role, engine, parts, at)
VALUES ('bench', 'workers', %s, %s, clock_timestamp())
"""

_KNOWN = """
WITH imported AS (
    INSERT INTO history_imports (actor, mapping_sha256, files, counts)
    VALUES ('bench', 'm', '[]', '{}') RETURNING id)
INSERT INTO history_orders (work_order_key, original_id, body, received_at, import_id)
SELECT 'wo_' || translate(substr(md5(n::text) || md5(n::text), 1, 24), '0189', 'xyzw'),
       'bench-' || n, '{}', now() - interval '1 day', imported.id
  FROM generate_series(1, %(number)s) AS n CROSS JOIN imported
"""

_LAY = """
INSERT INTO comparisons (work_order_key, engine, origin, body)
SELECT 'wo_' || translate(substr(md5(n::text) || md5(n::text), 1, 24), '0189', 'xyzw'), %(engine)s,
       CASE WHEN n %% 50 = 0 THEN 'live' ELSE 'history' END,
       jsonb_build_object(
         'work_order_key', 'k' || n, 'engine', %(engine)s::text,
         'pair', CASE WHEN n %% 4 = 0 THEN 'both_person' ELSE 'both_draft' END,
         'strata', jsonb_build_object(
            'origin', 'history', 'tier', CASE WHEN n %% 4 = 0 THEN 3 ELSE 1 END,
            'language', (%(languages)s::text[])[n %% 7 + 1], 'attachments', n %% 9 = 0,
            'thread', 'hit', 'contact', CASE WHEN n %% 3 = 0 THEN 'miss' ELSE 'hit' END),
         'legacy_classes', c.classes, 'new_classes', c.classes, 'needed', c.classes,
         'needed_because', 'label', 'missed', '[]'::jsonb, 'extra', false, 'declined', false,
         'same_recipient', true, 'same_thread', true, 'same_subject', true,
         'new_legacy', 0.7, 'new_sent', CASE WHEN n %% 4 = 0 THEN NULL ELSE random() END,
         'legacy_sent', CASE WHEN n %% 4 = 0 THEN NULL ELSE random() END,
         'act', 'sent_unchanged', 'legacy_ms', 400, 'new_ms', 100 + n %% 500, 'new_cost', 0.0,
         'failed', '', 'tolerated', '[]'::jsonb, 'thread_id', 't' || n / 3,
         'received_at', now() - make_interval(mins => n %% 100000))
  FROM generate_series(1, %(number)s) n
 CROSS JOIN LATERAL (
       SELECT CASE WHEN n %% 4 = 0 THEN jsonb_build_array((%(classes)s::text[])[n %% 9 + 1])
                   ELSE '[]'::jsonb END AS classes) c
ON CONFLICT DO NOTHING
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comparisons", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        server = embedded.start(Path(place) / "pg")
        try:
            url = embedded.create_database(server, "bench")
            migrate(url)
            lay(url, options.comparisons)
            return told(*judged(url, place))
        finally:
            embedded.stop(Path(place) / "pg")


def lay(url: str, number: int) -> None:
    with psycopg.connect(url, options="-c search_path=swarm,public") as connection:
        connection.execute(_BEAT, (ENGINE.version, json.dumps(ENGINE.model_dump())))
        values = {
            "engine": ENGINE.version,
            "classes": CLASSES,
            "languages": ["en", "de", "fr", "es", "it", "nl", "pt"],
            "number": number,
        }
        connection.execute(_KNOWN, values)
        connection.execute(_LAY, values)
        for part in must_escalate.parts():  # measured before, as it is once per ruleset
            connection.execute(
                "INSERT INTO must_escalate_measurements (ruleset, part, body) VALUES (%s, %s, %s)",
                (ruleset.VERSION, part, json.dumps({"part": part, "counts": []})),
            )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def judged(url: str, place: str) -> tuple[float, float, float, dict[str, Any]]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "swarm.cutover.judge"],
        input=json.dumps({"home": place, "pictures": True}).encode(),
        stdout=subprocess.PIPE,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = time.monotonic() - began
    answer: dict[str, Any] = json.loads(done.stdout)
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, answer


def told(took: float, cpu: float, megabytes: float, answer: dict[str, Any]) -> int:
    total = answer["report"]["compared"]["total"]
    print(f"{total} comparisons: {took:.1f} s, {cpu:.1f} s of processor, {megabytes:.0f} MB")
    return 0 if took < _MOST_SECONDS and megabytes < _MOST_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
