"""`make bench`: every speed and size that is promised, one after the other on this machine.

    .venv/bin/python bench/side_by_side.py [--json FILE] [--plot FILE.png] [--quick]

Each part is a program of its own beside this one, which says at its top what it measures. Read the
figures as ratios within one run: machines differ, and are shared. ``--quick`` takes a tenth.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # before pyplot: there may be no screen
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
Figures = dict[str, dict[str, Any]]


def parts(*, quick: bool) -> dict[str, list[str]]:
    """Name of a part -> its command, but for where its figures go."""
    many, few, singles = ("48", "16", "5") if quick else ("240", "60", "30")
    engines = ["--orders", "6", "--turns", "1"] if quick else ["--orders", "30", "--turns", "3"]
    return {
        "one run": ["run_cost.py", "--runs", "5" if quick else "20"],
        "engines": ["engines.py", *engines],
        "idle": ["idle.py", "--seconds", "10" if quick else "60"],
        "rules": ["throughput.py", "--orders", few if quick else "100", "--singles", singles],
        "model, asked by runs": ["model_throughput.py", "--orders", few, "--prefetch", "0"],
        "model, 16 ahead": ["model_throughput.py", "--orders", many, "--prefetch", "16"],
        "model, 48 ahead": ["model_throughput.py", "--orders", many, "--prefetch", "48"],
    }


def main() -> int:
    options = arguments()
    found: Figures = {
        "machine": {
            "cores": os.cpu_count(),
            "load at the start": os.getloadavg()[0],
            "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        }
    }
    for name, command in parts(quick=options.quick).items():
        print(f"== {name}", flush=True)
        found[name] = measured(command)
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    if options.plot:
        drawn(found, options.plot)
    return 0


def measured(command: list[str]) -> dict[str, Any]:
    """Run a part and return its figures; one that misses its target has figures all the same."""
    with tempfile.NamedTemporaryFile(suffix=".json") as kept:
        script, *given = command
        line = [sys.executable, str(HERE / script), *given, "--json", kept.name]
        subprocess.run(line, cwd=HERE, stderr=subprocess.DEVNULL, check=False)
        said = Path(kept.name).read_text("utf-8")
    if not said:
        raise SystemExit(f"{script} gave no figures: run it alone to see why")
    figures: dict[str, Any] = json.loads(said)
    return figures


def drawn(found: Figures, file: Path) -> None:
    """Draw work orders a minute, where an idle installation's memory lies, and the engines."""
    figure, (rate, idle, engines) = plt.subplots(1, 3, figsize=(16, 4))
    rates = {n: f["a minute, whole"] for n, f in found.items() if "a minute, whole" in f}
    rates["rules"] = 60 / found["rules"]["s per work order"]
    rate.barh(list(rates), list(rates.values()), color="#4477aa")
    rate.set_xlabel("work orders a minute")
    memory = found["idle"]["memory by program, MB"]
    idle.barh(list(memory), list(memory.values()), color="#ccbb44")
    idle.set_xlabel("MB (PSS), idle")
    idle.invert_yaxis()
    cpu = {
        name: each["CPU s a work order"] + each["Postgres CPU s a work order"]
        for name, each in found["engines"]["engines"].items()
    }
    engines.bar_label(engines.barh(list(cpu), list(cpu.values()), color="#228833"), fmt="%.2g")
    engines.set_xscale("log")
    engines.set_xlabel("CPU s a work order, Postgres too (log)")
    engines.invert_yaxis()
    figure.tight_layout()
    figure.savefig(file, dpi=110)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
