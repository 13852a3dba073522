"""The Dagster UI without a browser: the GraphQL mutations its buttons send, word for word.

Selectors, tags and strategies are those of the pinned web application: *Materialize*
of one partition launches the hidden asset job, of several a backfill; *Re-execute* sends run and
strategy; the launchpad sends a job with configuration and tags.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

REPOSITORY = {
    "repositoryLocationName": "swarm_assets",
    "repositoryName": "__repository__",
}
HIDDEN_JOB = "__ASSET_JOB"

_LAUNCH = """
mutation LaunchPipelineExecution($executionParams: ExecutionParams!) {
  launchPipelineExecution(executionParams: $executionParams) {
    __typename
    ... on LaunchRunSuccess { run { id } }
    ... on PipelineNotFoundError { message }
    ... on InvalidSubsetError { message }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message stack }
  }
}"""
_REEXECUTE = """
mutation LaunchPipelineReexecution($reexecutionParams: ReexecutionParams) {
  launchPipelineReexecution(reexecutionParams: $reexecutionParams) {
    __typename
    ... on LaunchRunSuccess { run { id } }
    ... on InvalidSubsetError { message }
    ... on PythonError { message stack }
  }
}"""
_BACKFILL = """
mutation LaunchPartitionBackfill($backfillParams: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $backfillParams) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message stack }
  }
}"""
_BACKFILL_STATE = """
query Backfill($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status error { message } runs(limit: 200) { id } }
    ... on PythonError { message stack }
  }
}"""
_RUN = """
query Run($id: ID!) {
  runOrError(runId: $id) {
    __typename
    ... on Run { id status jobName tags { key value } rootRunId parentRunId }
  }
}"""
_EVENTS = """
query Events($id: ID!) {
  logsForRun(runId: $id, limit: 1000) {
    __typename
    ... on EventConnection { events {
      __typename
      ... on MessageEvent { message stepKey }
      ... on ExecutionStepFailureEvent { error { message causes { message } } }
      ... on RunFailureEvent { error { message causes { message } } }
    } }
  }
}"""
_RUNS = """
query Runs($filter: RunsFilter) {
  runsOrError(filter: $filter) { ... on Runs { results { id status jobName tags { key value } } } }
}"""
_WIPE = """
mutation AssetWipeMutation($assetPartitionRanges: [PartitionsByAssetSelector!]!) {
  wipeAssets(assetPartitionRanges: $assetPartitionRanges) {
    __typename
    ... on PythonError { message stack }
    ... on UnsupportedOperationError { message }
  }
}"""
_SENSOR = """
query Sensor($sensorSelector: SensorSelector!) {
  sensorOrError(sensorSelector: $sensorSelector) {
    __typename
    ... on Sensor { sensorState { id status } }
  }
}"""
_START_SENSOR = """
mutation StartSensor($sensorSelector: SensorSelector!) {
  startSensor(sensorSelector: $sensorSelector) {
    __typename
    ... on Sensor { id sensorState { id status } }
    ... on PythonError { message stack }
  }
}"""
_STOP_SENSOR = """
mutation StopRunningSensor($id: String!) {
  stopSensor(id: $id) {
    __typename
    ... on StopSensorMutationResult { instigationState { id status } }
    ... on PythonError { message stack }
  }
}"""

FINISHED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})


@dataclass(frozen=True)
class SeenRun:
    """A run as its page shows it."""

    id: str
    status: str
    job: str
    tags: Mapping[str, str]
    said: Sequence[str] = field(default_factory=tuple)

    @property
    def words(self) -> str:
        """Everything its log says."""
        return "\n".join(self.said)


class DagsterUI:
    """What a person does in the UI of a running installation."""

    def __init__(self, port: int) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def close(self) -> None:
        self._http.close()

    def materialize(self, key: str, *stages: str, job: str = HIDDEN_JOB) -> str:
        """Press *Materialize* for one partition of these assets; returns the run's id."""
        return self.launch(job, stages=stages, tags={"dagster/partition": key})

    def launch(
        self,
        job: str,
        *,
        stages: Sequence[str] = (),
        config: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Press *Launch run* in a job's launchpad; returns the run's id."""
        selector: dict[str, object] = {**REPOSITORY, "pipelineName": job}
        if stages:
            selector["assetSelection"] = [asset(stage) for stage in stages]
            selector["assetCheckSelection"] = None
        parameters = {
            "mode": "default",
            "executionMetadata": {"tags": _tags(tags or {})},
            "runConfigData": config or {},
            "selector": selector,
        }
        answer = self._ask(_LAUNCH, {"executionParams": parameters})["launchPipelineExecution"]
        return str(_or_fail(answer, "LaunchRunSuccess")["run"]["id"])

    def backfill(
        self, keys: Sequence[str], *stages: str, job: str | None = None
    ) -> Sequence[SeenRun]:
        """Materialize several partitions, wait for the backfill; returns its finished runs."""
        number = self.begin_backfill(keys, *stages, job=job)
        return [self.finished(run) for run in self.backfilled(number)]

    def begin_backfill(self, keys: Sequence[str], *stages: str, job: str | None = None) -> str:
        """Press *Launch backfill* for these partitions; returns its id."""
        parameters: dict[str, object] = {
            "tags": [],
            "assetSelection": [asset(stage) for stage in stages],
            "partitionNames": list(keys),
            "fromFailure": False,
        }
        if job is not None:
            parameters["selector"] = {
                "partitionSetName": f"{job}_partition_set",
                "repositorySelector": REPOSITORY,
            }
        answer = self._ask(_BACKFILL, {"backfillParams": parameters})["launchPartitionBackfill"]
        return str(_or_fail(answer, "LaunchBackfillSuccess")["backfillId"])

    def backfilled(self, number: str, seconds: float = 900) -> Sequence[str]:
        """Wait for a backfill's end; returns its runs."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self._ask(_BACKFILL_STATE, {"id": number})["partitionBackfillOrError"]
            state = _or_fail(answer, "PartitionBackfill")
            if state["status"] not in ("REQUESTED", "CANCELING", "FAILING"):
                return [str(run["id"]) for run in state["runs"]]
            assert time.monotonic() < deadline, state
            time.sleep(0.3)

    def reexecute(self, run_id: str, strategy: str) -> str:
        """Press *Re-execute*: ``ALL_STEPS``, ``FROM_FAILURE`` or ``FROM_ASSET_FAILURE``."""
        parameters = {"parentRunId": run_id, "strategy": strategy, "useParentRunTags": True}
        answer = self._ask(_REEXECUTE, {"reexecutionParams": parameters})
        launched = _or_fail(answer["launchPipelineReexecution"], "LaunchRunSuccess")
        return str(launched["run"]["id"])

    def wipe(self, *stages: str) -> None:
        """Press *Wipe materializations* for these assets."""
        chosen = [{"assetKey": asset(stage)} for stage in stages]
        answer = self._ask(_WIPE, {"assetPartitionRanges": chosen})["wipeAssets"]
        _or_fail(answer, "AssetWipeSuccess")

    def sensor_off(self, name: str) -> None:
        """Turn a sensor off."""
        asked = self._ask(_SENSOR, {"sensorSelector": {**REPOSITORY, "sensorName": name}})
        state = _or_fail(asked["sensorOrError"], "Sensor")["sensorState"]
        answer = self._ask(_STOP_SENSOR, {"id": state["id"]})["stopSensor"]
        _or_fail(answer, "StopSensorMutationResult")

    def sensor_on(self, name: str) -> None:
        """Turn a sensor on."""
        selector = {**REPOSITORY, "sensorName": name}
        answer = self._ask(_START_SENSOR, {"sensorSelector": selector})["startSensor"]
        _or_fail(answer, "Sensor")

    def run(self, run_id: str) -> SeenRun:
        """Look at a run as it stands."""
        seen = _or_fail(self._ask(_RUN, {"id": run_id})["runOrError"], "Run")
        return SeenRun(run_id, seen["status"], seen["jobName"], _plain(seen["tags"]))

    def finished(self, run_id: str, seconds: float = 900) -> SeenRun:
        """Wait for a run's end; returns it with what its log says."""
        deadline = time.monotonic() + seconds
        while (run := self.run(run_id)).status not in FINISHED:
            assert time.monotonic() < deadline, run
            time.sleep(0.2)
        events = _or_fail(self._ask(_EVENTS, {"id": run_id})["logsForRun"], "EventConnection")
        said = tuple(words for event in events["events"] for words in _words(event))
        return SeenRun(run.id, run.status, run.job, run.tags, said)

    def runs(self, **tags: str) -> Sequence[SeenRun]:
        """List the runs that carry these tags, newest first."""
        wanted = [{"key": name.replace("__", "/"), "value": value} for name, value in tags.items()]
        found = self._ask(_RUNS, {"filter": {"tags": wanted}})["runsOrError"]["results"]
        return [SeenRun(r["id"], r["status"], r["jobName"], _plain(r["tags"])) for r in found]

    def _ask(self, query: str, variables: Mapping[str, object]) -> Any:
        answer = self._http.post("/graphql", json={"query": query, "variables": variables})
        body = answer.json()
        assert "errors" not in body, body
        return body["data"]


def asset(stage: str) -> dict[str, list[str]]:
    """The key of a stage's asset as the UI sends it; with a slash, of any asset."""
    return {"path": stage.split("/") if "/" in stage else ["work_order", stage]}


def _or_fail(answer: Any, wanted: str) -> Any:
    assert answer["__typename"] == wanted, answer
    return answer


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _plain(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in tags}


def _words(event: Mapping[str, Any]) -> list[str]:
    error = event.get("error") or {}
    causes = [cause["message"] for cause in error.get("causes", ())]
    return [word for word in (event.get("message"), error.get("message"), *causes) if word]
