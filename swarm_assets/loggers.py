"""What a run writes to its process's output: errors only.

Dagster's default prints every event of a run (about 100 lines); the events are in its storage, and
formatting them twice cost a tenth of a run.
"""

import logging

import dagster as dg


@dg.logger(description="Errors of a run on the process's standard error.")
def quiet_console(context: dg.InitLoggerContext) -> logging.Logger:
    """Return a logger for errors."""
    logger = logging.Logger("swarm.run", level=logging.ERROR)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    return logger
