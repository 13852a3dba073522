"""The one set of partitions: live work orders by their opaque key; the tags and queues of runs.

A hot set: intake adds, ``sensors/retire.py`` takes away; our tables keep the history. Dagster does
not validate keys, so only ``swarm.intake`` makes them (``wo_`` and 24 letters).
"""

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

work_orders = dg.DynamicPartitionsDefinition(name="work_orders")

# The queue's attempt a run was requested for; runs that a person starts in the UI carry none.
ATTEMPT_TAG = "swarm/attempt"
PARTITION_TAG = PARTITION_NAME_TAG
# Which lane a run takes through Dagster's queue; ``dagster.yaml`` counts by it.
LANE_TAG = "swarm/lane"
# The process that executes a run no lease stands behind, as ``swarm.process_identity`` names it.
WORKER_TAG = "swarm/worker"

# The two queues of the run workers: work orders and whatever else, and publishing with the switch.
WORK_QUEUE = "dagster"
PUBLISHING_QUEUE = "publishing"
