"""The two sets of partitions, both of work orders by their opaque key; the tags and queues of runs.

Hot sets: of live work orders intake adds, ``sensors/retire.py`` takes away; of those that are
replayed a plan adds, ``sensors/history.py`` takes away. Our tables keep the history. Dagster does
not validate keys, so only ``swarm.intake`` and ``swarm.shadow`` make them (``wo_`` and 24 letters).
"""

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

work_orders = dg.DynamicPartitionsDefinition(name="work_orders")
history = dg.DynamicPartitionsDefinition(name="history")

# The queue's attempt a run was requested for; runs that a person starts in the UI carry none.
ATTEMPT_TAG = "swarm/attempt"
PARTITION_TAG = PARTITION_NAME_TAG
# Which lane a run takes through Dagster's queue; ``dagster.yaml`` counts by it.
LANE_TAG = "swarm/lane"
# The process that executes a run no lease stands behind, as ``swarm.process_identity`` names it.
WORKER_TAG = "swarm/worker"

# The queues of the run workers: work orders and whatever else, publishing with the switch, and the
# comparison, whose worker is nice.
WORK_QUEUE = "dagster"
PUBLISHING_QUEUE = "publishing"
SHADOW_QUEUE = "shadow"
