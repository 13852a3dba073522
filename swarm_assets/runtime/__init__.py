"""What ``dagster.yaml`` and the worker command name: storage, launcher, Celery application.

Environment that whoever starts the processes (``swarm up``, systemd, a container) provides to the
webserver, the daemon and every worker alike:

- ``DAGSTER_HOME``             directory that holds a copy of or a link to ``dagster.yaml``
- ``DAGSTER_POSTGRES_URL``     Dagster's own tables; must start with ``postgresql+psycopg2://``
- ``CELERY_BROKER_URL``        ``filesystem://`` on one machine; Redis or RabbitMQ on many
- ``CELERY_BROKER_DIR``        folder of the file-system broker, ``$SWARM_HOME/broker``
- ``DATABASE_URL``             our tables, a libpq URL (``postgresql://``)
- ``SWARM_HOME`` and every variable that ``swarm.settings`` names
- ``DAGSTER_EVENT_BATCH_SIZE`` ``50``: backfills over many partitions; no effect on single runs
- ``LANGSMITH_TRACING=false``, ``LANGGRAPH_STRICT_MSGPACK=true``

How long a run may hold a worker stands in ``QUEUE_RUN_SECONDS`` of the daemon; it goes with the
task.

There is no Celery result backend: whether a worker lives is judged by our lease, and the two result
rows a run would cost two more transactions. Workers are started by
``celery -A swarm_assets.runtime.celery_app worker --pool prefork --concurrency N -Q dagster
--without-gossip --without-mingle --without-heartbeat``, and one more with ``--concurrency 1
-Q publishing`` so that no draft waits behind a slow model; never with ``--max-tasks-per-child``:
a fresh child pays the imports (about 4 s) again.
"""
