"""One DATABASE_URL, two spellings, whatever a hosting platform hands out."""

import psycopg
import pytest
from sqlalchemy.engine import make_url

from swarm.errors import ConfigurationError
from swarm.installation.urls import libpq_url, sqlalchemy_url

PLATFORM = "postgresql://postgres:AbC123@postgres.railway.internal:5432/railway"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(PLATFORM, PLATFORM, id="as it should be"),
        pytest.param(PLATFORM.replace("postgresql", "postgres", 1), PLATFORM, id="short scheme"),
        pytest.param(
            PLATFORM.replace("postgresql", "postgresql+psycopg", 1), PLATFORM, id="driver scheme"
        ),
        pytest.param(f"  {PLATFORM}\n", PLATFORM, id="pasted with white space"),
        pytest.param(
            f"{PLATFORM}?sslmode=require&connect_timeout=5",
            f"{PLATFORM}?sslmode=require&connect_timeout=5",
            id="sslmode",
        ),
        pytest.param(
            "postgres://postgres:AbC123@roundhouse.proxy.rlwy.net:31234/railway?sslmode=require",
            "postgresql://postgres:AbC123@roundhouse.proxy.rlwy.net:31234/railway?sslmode=require",
            id="public proxy of a platform",
        ),
        pytest.param(
            "postgresql://postgres@/swarm?host=/tmp/a%20b",
            "postgresql://postgres@/swarm?host=/tmp/a%20b",
            id="unix socket",
        ),
        pytest.param(
            "postgresql://postgres@/swarm?host=/tmp/a+b",
            "postgresql://postgres@/swarm?host=/tmp/a%2Bb",
            id="unix socket with a plus",
        ),
        pytest.param(
            "postgres://app:p%40ss%2Fword@db:5432/swarm",
            "postgresql://app:p%40ss%2Fword@db:5432/swarm",
            id="encoded password",
        ),
        pytest.param(
            "postgres://app:p@s#s/w?rd@db:5432/swarm",
            "postgresql://app:p%40s%23s%2Fw%3Frd@db:5432/swarm",
            id="raw password",
        ),
        pytest.param("postgresql:///swarm", "postgresql:///swarm", id="local default"),
        pytest.param("postgresql://[::1]:5432/swarm", "postgresql://[::1]:5432/swarm", id="IPv6"),
    ],
)
def test_every_common_form_becomes_a_libpq_url(given: str, expected: str) -> None:
    assert libpq_url(given) == expected
    assert libpq_url(expected) == expected


@pytest.mark.parametrize(
    "url",
    [
        PLATFORM,
        "postgres://app:p@s#s/w?rd%25@db:5432/swarm?sslmode=require",
        "postgresql://postgres@/swarm?host=/tmp/a+b%20c",
    ],
)
def test_both_readers_understand_the_same_thing(url: str) -> None:
    libpq = psycopg.conninfo.conninfo_to_dict(libpq_url(url))
    alchemy = make_url(sqlalchemy_url(url))
    assert alchemy.drivername == "postgresql+psycopg2"
    assert alchemy.password == libpq.get("password")
    assert alchemy.database == libpq["dbname"]
    assert (alchemy.host or alchemy.query.get("host")) == libpq["host"]


@pytest.mark.parametrize("url", ["mysql://root:hunter2@db/x", "hunter2", ""])
def test_another_database_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        libpq_url(url)
    assert "hunter2" not in str(refused.value)
