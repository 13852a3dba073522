"""Where the Dagster UI shows a work order and its runs. Pure."""

from urllib.parse import urlencode

_LAST_STAGE = "work_order/publish"


def partition_page(ui_url: str, key: str) -> str:
    """Return the page of the work order's last stage; its lineage tab leads to all the others."""
    query = urlencode({"view": "partitions", "partition": key})
    return f"{ui_url.rstrip('/')}/assets/{_LAST_STAGE}?{query}"


def run_page(ui_url: str, run_id: str) -> str:
    """Return the page of one run."""
    return f"{ui_url.rstrip('/')}/runs/{run_id}"
