"""The shell of somebody with other projects: everything in it is odd, and nothing of it matters.

One whole installation in a home with an odd path, from a working folder with a ``.env`` and modules
that stand in for ours; its samples end, and neither tracer, proxy nor broker hears of them. And one
whose clone and environment lie in an odd folder, started there as ``make run`` does.
"""

import os
import shutil
import site
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import FOREIGN, SWARM, environment
from sink import Sink

from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-odd-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def odd(sink: Sink, folder: Path) -> dict[str, str]:
    """Variables of other projects, each of which once led astray."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    return {
        **dict.fromkeys(proxies, sink.url),
        "ALL_PROXY": "socks5://127.0.0.1:9",
        "NO_PROXY": "fd00::/8,intra.example",
        "LANGCHAIN_TRACING_V2": "true",
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": sink.url,
        "LANGSMITH_API_KEY": "k",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        "LC_ALL": "xx_YY.UTF-8",
        "LANG": "de_DE@none",
        "TZ": "Nowhere/Never",
        "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",
        "CELERY_RESULT_BACKEND": "redis://127.0.0.1:9/0",
        "CELERY_CONFIG_MODULE": "not_there",
        "PGSERVICE": "not_there",
        "PGHOST": "127.0.0.9",
        "PGPORT": "9",
        "PGUSER": "nobody",
        "PGDATABASE": "nothing",
        "PGOPTIONS": "-c search_path=nowhere",
        "PYTHONPATH": str(folder / "work"),
        "PYTHONSTARTUP": str(folder / "work" / "celery.py"),
        "PYTHONWARNINGS": "ignore",
        "DAGSTER_HOME": "/not/there",
        "DAGSTER_POSTGRES_URL": "postgresql://127.0.0.1:9/x",
        "DAGSTER_GRPC_PORT": "9",
        "SWARM_DOUBLES_URL": "http://127.0.0.1:9",
    }


def work_folder(folder: Path) -> Path:
    """A working folder of another project."""
    work = folder / "work"
    work.mkdir()
    (work / ".env").write_text(
        "DATABASE_URL=postgresql://nobody@127.0.0.1:9/none\nCELERY_BROKER_URL=redis://127.0.0.1:9\n"
        "LANGSMITH_TRACING=true\nDAGSTER_HOME=/not/there\n"
    )
    (work / "workspace.yaml").write_text("load_from:\n  - python_module: not_there\n")
    (work / "pyproject.toml").write_text('[tool.dagster]\nmodule_name = "not_there"\n')
    return work


def up(folder: Path, home: Path, shell: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = (*SWARM, "up", "--until-idle", "--timeout", "240", "--port", str(any_free_port()))
    return subprocess.run(
        command,
        env={**environment(home), **shell},
        cwd=work_folder(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
        umask=0o777 if os.geteuid() == 0 else 0o277,
    )


@pytest.mark.parametrize("name", ["it's 100% #1 home", "long/" + "x" * 120])
def test_the_samples_end_whatever_the_shell_and_the_path_say(
    folder: Path, sink: Sink, name: str
) -> None:
    home = folder / name
    done = up(folder, home, odd(sink, folder))
    logs = {p.name: p.read_text("utf-8", "replace")[-2000:] for p in (home / "logs").glob("*.log")}
    assert done.returncode == 0, (done.stdout, logs)
    assert "audit: clean" in done.stdout
    assert "starting it again" not in done.stdout, (done.stdout, logs)
    assert sink.requests == []
    assert not [p for p in home.rglob("*") if p.is_file() and p.stat().st_mode & 0o077], "private"


ROOT = Path(__file__).parents[2]


def cloned(into: Path) -> Path:
    """A clone with an environment of its own, most of it links; returns its python."""
    for name in ("swarm", "swarm_assets", "dagster.yaml", "workspace.yaml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, into / name)
    venv.create(into / ".venv", with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = into / ".venv" / "lib" / version / "site-packages"
    for package in Path(site.getsitepackages()[0]).iterdir():
        if package.name in {"dagster", "dagster_postgres"}:  # they look where they really lie
            shutil.copytree(package, packages / package.name)
        elif "swarm" not in package.name:
            (packages / package.name).symlink_to(package)
    (packages / "clone.pth").write_text(f"{into}\n", "utf-8")
    return into / ".venv" / "bin" / "python"


@pytest.mark.parametrize("name", ["it's a clone #1 at 100% für ü", "\N{SNOWMAN} %(here)s & co;"])
def test_a_clone_works_whatever_its_folder_is_called(folder: Path, name: str) -> None:
    """``SWARM_HOME`` is not set: it lies in the clone."""
    clone = folder / name / "swarm assets"
    clone.mkdir(parents=True)
    own = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    done = subprocess.run(
        [cloned(clone), "-m", "swarm.cli", "up", "--until-idle", "--timeout", "240",
         "--port", str(any_free_port())],
        cwd=clone, env={**own, "COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=500, check=False,
    )  # fmt: skip
    logs = {p.name: p.read_text("utf-8", "replace")[-2000:] for p in clone.glob(".swarm/logs/*")}
    assert done.returncode == 0, (done.stdout, logs)
    assert "audit: clean" in done.stdout
    assert "starting it again" not in done.stdout, (done.stdout, logs)
    assert list((clone / ".swarm").iterdir())
