"""What vulture takes for dead and is not: who enters it, or which door is still to be built.

Read by ``make check`` (vulture), never run. A name is added only with its reason; when its door
exists, it goes. What no one will ever enter is deleted instead.
"""

# --- doors still to be built ----------------------------------------------------------------------

# The general door to the chain: both stores are shown to be one through it.
_.append_event
# The worker of the lane `shadow` is started with it.

# Where a scraper finds the numbers: `swarm up` puts it into the environment, the doctor says it.
metrics_url

# --- entered by what is no program of ours --------------------------------------------------------

# training/corpus.py and bench/learned_detector.py: what the lexicon says alone.
lexicon_is_silent
rings_the_lexicon

# swarm/cli/app.py names them in its table, for they are imported when they are asked for.
backup
doctor
rehearse_command
run_once
up
# Types alone.
Command
# `swarm up` names it to the fork server.
load

# Settings that `swarm up`, `swarm worker` and `swarm database migrate` read by their variables.
owner_database_url
swarm_broker_url

# The templates of the desk read these.
headline
timeline
needed_no_answer

# --- entered by a framework -----------------------------------------------------------------------

# ONNX Runtime reads its options.
_.intra_op_num_threads
_.inter_op_num_threads
_.log_severity_level
# httpx calls an auth object, html.parser its handlers, rich and contextlib an exit.
_.auth_flow
_.handle_starttag
_.handle_endtag
_.handle_data
attrs
trace
# Dagster calls IO managers, launchers and storages; dagster.yaml names the classes.
WarmRunLauncher
PooledPostgresStorage
LanedRunCoordinator
_.handle_output
_.load_input
_.submit_run
_.store_event
_.store_event_batch
# kombu calls a channel's methods, SQLAlchemy is given the pool's limits by name.
_._put
_._queue_bind
pool_size
max_overflow
# Tests and benches open a saver of their own; production borrows its connections.
postgres_checkpointer
_.config_type
_.from_config_value
_._launch_celery_task_run
_.supports_resume_run
_.check_run_worker_health
_.terminate
_.get_run_worker_debug_info
include_container_logs
# billiard takes these locks around its pipes.
_._rlock
_._wlock
# psycopg reads these of a connection and a cursor.
_.isolation_level
_.read_only
_.itersize
# pydantic calls serializers.
_._without_an_empty_note
# graphql-core resolves fields of the monday double by name.
_.complexity
_.items_page_by_column_values
_.next_items_page
_.create_update
_.items_count
_.items_page
# prometheus_client asks a collector.
_.collect
# uvicorn and sqlite3 read attributes that are set on their objects.
_.should_exit
_.force_exit
_.row_factory

# --- names in annotations only, imported under TYPE_CHECKING --------------------------------------

BaseChatModel
BaseCheckpointSaver
Compiled
PgTokenProvider
RunnableConfig

# --- the sandbox as tests and benchmarks steer it: its door is HTTP, /_control --------------------

RunningSandbox
_.human
_.add_contact
_.add_deal
_.clear_faults
_.configure
_.answer_model
_.healthy
_.wait_for_drafts

# --- fields that people and programs read as JSON, of `--json`, a run's metadata or a proof -------

_.input_sha256
_.legacy_ms
_.legacy_sent
_.legacy_unbacked
_.new_classes
_.new_cost
_.new_legacy
_.new_sent
_.new_unbacked
_.same_recipient
_.same_subject
_.same_thread
_.accepted_at
_.live_from
_.planned_at
_.report_sha256
_.void_at
_.void_because
_.void_by
_.issued_at
_.acknowledged_at
_.asked_at
_.byte_offset
_.changed_at
_.delivered_at
_.draft_id
_.ended_at
_.final_at
_.finished_at
_.history
_.latency_ms
_.mailbox_searched
_.next_offset
_.oldest_unfinished
_.payload_bytes
_.prompt_sha256
_.reaped_left
_.resolved_at
_.revised
_.run_url
_.running_after
_.seen_at
_.seen_by
_.wishes
_.zap_request_id
