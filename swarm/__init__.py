"""Plain Python that turns an e-mail into a reviewed draft. Knows no Dagster.

The Dagster surface is ``swarm_assets``; it depends on this package, never the other way round.
"""

import os

from swarm.surroundings import settle

settle(os.environ)  # before anything that may trace or connect is imported
