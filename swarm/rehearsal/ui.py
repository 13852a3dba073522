"""The requests a person's clicks send to the Dagster UI: launch a backfill, watch it end.

What lives elsewhere: what the assets do (``swarm_assets.assets``).
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from swarm.rehearsal.installation import NotShownError

_POLL_SECONDS = 1.0
_LOADED_AGAIN = 5

_BACKFILL = """
mutation LaunchPartitionBackfill($backfillParams: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $backfillParams) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
_BACKFILL_STATE = """
query Backfill($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status error { message } }
    ... on PythonError { message }
  }
}"""
_PARTITIONS = """
query Partitions($asset: AssetKeyInput!) {
  assetNodeOrError(assetKey: $asset) { ... on AssetNode { partitionKeys } }
}"""

_STILL = frozenset({"REQUESTED", "CANCELING", "FAILING"})
_DONE = "COMPLETED_SUCCESS"


class UiFailedError(NotShownError):
    """The UI met an error of its own (5xx) and gave no data: it may answer when asked again."""


class DagsterUi:
    """The UI of an installation at hand."""

    def __init__(self, port: int) -> None:
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=60.0, trust_env=False
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def partitions(self, asset: Sequence[str]) -> Sequence[str]:
        """Return the partitions of an asset."""
        found = self._looked_up(_PARTITIONS, {"asset": {"path": list(asset)}})["assetNodeOrError"]
        return [str(each) for each in found["partitionKeys"]]

    def backfill(
        self, keys: Sequence[str], assets: Sequence[Sequence[str]], seconds: float
    ) -> None:
        """Materialize these partitions of these assets as the dialog does, and wait for the end.

        Raises ``NotShownError`` when the backfill does not succeed, or not in time.
        """
        parameters = {
            "tags": [],
            "assetSelection": [{"path": list(asset)} for asset in assets],
            "partitionNames": list(keys),
            "fromFailure": False,
        }
        asked = {"backfillParams": parameters}
        launched = self._patiently(_BACKFILL, asked, UiFailedError)["launchPartitionBackfill"]
        if "backfillId" not in launched:
            raise NotShownError(f"the UI did not take the backfill: {launched.get('message')}")
        self._await_end(str(launched["backfillId"]), seconds)

    def _await_end(self, backfill: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            state = self._looked_up(_BACKFILL_STATE, {"id": backfill})["partitionBackfillOrError"]
            status = str(state.get("status", state.get("message")))
            if status == _DONE:
                return
            if status not in _STILL or time.monotonic() > deadline:
                raise NotShownError(f"the backfill {backfill} is {status} and not done")
            time.sleep(_POLL_SECONDS)

    def _looked_up(self, query: str, variables: Mapping[str, object]) -> Any:
        """Ask what changes nothing; a page that did not come is loaded again."""
        return self._patiently(query, variables, UiFailedError, httpx.HTTPError)

    def _patiently(
        self, query: str, variables: Mapping[str, object], *passes: type[Exception]
    ) -> Any:
        for _ in range(_LOADED_AGAIN):
            try:
                return self._ask(query, variables)
            except passes:
                time.sleep(_POLL_SECONDS)
        return self._ask(query, variables)

    def _ask(self, query: str, variables: Mapping[str, object]) -> Any:
        answer = self._http.post("/graphql", json={"query": query, "variables": dict(variables)})
        body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        if errors := body.get("errors"):
            failed = UiFailedError if answer.is_server_error else NotShownError
            raise failed(f"the UI refused a request: {errors[0].get('message')}")
        if body.get("data") is None:
            answer.raise_for_status()
        return body["data"]  # what went wrong inside stands in it as a PythonError, with a 500
