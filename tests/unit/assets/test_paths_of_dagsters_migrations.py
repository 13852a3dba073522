"""The folder an environment lies in may be called anything."""

import shutil
from pathlib import Path

import dagster_postgres
import pytest
from dagster_postgres.event_log import event_log
from dagster_postgres.run_storage import run_storage
from dagster_postgres.schedule_storage import schedule_storage

import swarm_assets.runtime.storage  # noqa: F401 - loading it is what is tested

STORAGES = (event_log, run_storage, schedule_storage)


@pytest.mark.parametrize("name", ["plain", "it's 100% #1 für", "50%% off", "%(here)s", "%"])
def test_each_storage_reads_its_alembic_ini_wherever_it_lies(tmp_path: Path, name: str) -> None:
    source, copy = Path(dagster_postgres.__file__).parent, tmp_path / name / "dagster_postgres"
    shutil.copytree(source / "alembic", copy / "alembic")
    for module in STORAGES:
        config = module.pg_alembic_config(str(copy / "storage" / "storage.py"))
        assert config.get_main_option("script_location")
        assert config.get_section("post_write_hooks", {}) is not None
        assert config.get_section("alembic")["here"] == str(copy / "alembic")
