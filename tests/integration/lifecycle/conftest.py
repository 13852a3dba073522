"""A small world in which every promise holds."""

from watched_house import stream, world

__all__ = ["stream", "world"]
