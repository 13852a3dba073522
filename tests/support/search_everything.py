"""Looking for words in everything an installation keeps, sharing no code with what erases them."""

import base64
import binascii
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg

_TABLES = """
SELECT table_schema, table_name FROM information_schema.tables
 WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


def tables(url: str) -> list[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        return [(str(s), str(t)) for s, t in connection.execute(_TABLES).fetchall()]


def rows(url: str, schema: str, table: str) -> list[tuple[object, ...]]:
    """Every row of a table; numbers, dates and JSON as text, bytes as bytes."""
    with psycopg.connect(url) as connection:
        named = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (schema, table),
        ).fetchall()
        said = ", ".join(f'"{n}"' if k == "bytea" else f'"{n}"::text' for n, k in named)
        return connection.execute(f'SELECT {said} FROM "{schema}"."{table}"'.encode()).fetchall()


def in_tables(url: str, words: Sequence[str]) -> list[str]:
    """Name every table of every schema in which a word stands, once for each word."""
    found = []
    for schema, table in tables(url):
        said = b"\0".join(_forms(rows(url, schema, table)))
        found += [f"{schema}.{table}: {word}" for word in words if word.lower().encode() in said]
    return found


def in_files(home: Path, words: Sequence[str], *, but: Sequence[str] = ("postgres",)) -> list[str]:
    """Name every file of the home in which a word stands, once for each word."""
    paths = [
        path
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.relative_to(home).parts[0] not in but
    ]
    return [
        f"{path.relative_to(home)}: {word}"
        for path in paths
        for word in words
        if any(word.lower().encode() in form for form in _unpacked(path.read_bytes()))
    ]


def _forms(found: Sequence[tuple[object, ...]]) -> Iterator[bytes]:
    for row in found:
        for cell in row:
            if cell is not None:
                yield from _unpacked(cell if isinstance(cell, bytes) else str(cell).encode())


def _unpacked(data: bytes) -> Iterator[bytes]:
    """The bytes, and what they are when they are packed."""
    yield data.lower()
    with suppress(zlib.error):
        yield zlib.decompress(data).lower()
    with suppress(binascii.Error, ValueError):
        yield base64.b64decode(data, validate=True).lower()
