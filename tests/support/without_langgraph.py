"""A pytest plugin (``-p without_langgraph``) under which LangGraph cannot be imported."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class Hidden(MetaPathFinder):
    """Finds nothing of LangGraph, whatever is installed."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname.split(".", maxsplit=1)[0] == "langgraph":
            raise ModuleNotFoundError(f"{fullname} is hidden", name=fullname)
        return None


assert "langgraph" not in sys.modules, "too late to hide it"
sys.meta_path.insert(0, Hidden())
