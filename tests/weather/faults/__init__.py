"""Every kind of fault; importing this package registers them."""

from weather.faults import (
    database,
    files,
    machine,
    office,
    people,
    processes,
    screen,
    services,
)

__all__ = [
    "database",
    "files",
    "machine",
    "office",
    "people",
    "processes",
    "screen",
    "services",
]
