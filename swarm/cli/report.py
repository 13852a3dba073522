"""``swarm report``: the readiness report as one file that anybody can open and read."""

from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.output import installation, print_json, say
from swarm.cutover import asking, certificate, html
from swarm.cutover.evaluated import JudgeRequest
from swarm.installation.home import write_private


def report(
    *,
    out: Annotated[Path, typer.Option("--out", help="Where to write it.")] = Path("readiness.html"),
    as_json: Annotated[bool, typer.Option("--json", help="Print where, as JSON.")] = False,
) -> None:
    """Write the readiness report as of now into one HTML file: pictures and plain words inside."""
    settings, database = installation()
    home = str(settings.core.swarm_home.absolute())
    evaluation = asking.evaluation(settings, JudgeRequest(home=home, keep=False, pictures=True))
    with database.transaction() as connection:
        standing = certificate.standing(connection)
    write_private(out, html.page(evaluation, standing))
    if as_json:
        verdicts = {each.gate: each.verdict.value for each in evaluation.gates}
        print_json({"file": str(out.absolute()), "gates": {**verdicts}})
    else:
        say(f"the report is in {out.absolute()}")
