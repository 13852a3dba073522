"""Lets Dagster prepare its tables from an environment whose path has a ``%`` in it.

Alembic hands the folder of its ini file to ``configparser`` as a default, unescaped, and every
reading of a section then fails over the ``%`` (alembic 1.20.1). What does not live here: the
storage whose tables these are (``storage``).
"""

from collections.abc import Mapping
from configparser import DEFAULTSECT, ConfigParser
from typing import Protocol

from dagster_postgres.event_log import event_log
from dagster_postgres.run_storage import run_storage
from dagster_postgres.schedule_storage import schedule_storage
from dagster_postgres.utils import pg_alembic_config

_FOLDER = "here"


class AlembicConfig(Protocol):
    """What is used of alembic's ``Config``; alembic itself is Dagster's dependency, not ours."""

    @property
    def config_args(self) -> Mapping[str, object]:
        """What the ini file may refer to."""
        ...

    @property
    def file_config(self) -> ConfigParser:
        """The ini file as read."""
        ...


def readable_config(dunder_file: str, script_location: str | None = None) -> AlembicConfig:
    """Return what ``pg_alembic_config`` does, readable wherever it lies."""
    config = pg_alembic_config(dunder_file, script_location)
    # From the argument, which stays as it is: Dagster hands out one object again and again.
    folder = str(config.config_args[_FOLDER])
    config.file_config[DEFAULTSECT][_FOLDER] = folder.replace("%", "%%")
    return config


def install() -> None:
    """Put it where Dagster's three storages look for theirs."""
    for module in (event_log, run_storage, schedule_storage):
        module.pg_alembic_config = readable_config  # type: ignore[attr-defined]
