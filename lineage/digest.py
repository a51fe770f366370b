"""One line for all that is recorded: two stores that say the same have the same digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import duckdb

from lineage.sql import sql

SECTIONS = (
    "message",
    "hop",
    "consent_change",
    "declaration",
    "policy",
    "arrival",
    "flag",
)
# What is large is read so many ids at a time, which bounds the memory that it takes.
_LARGE = {"message", "hop", "arrival"}
_IDS_MAX = 500_000


def digest(connection: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 in hex over the events, arrivals and flags.

    Every row is one line of canonical text. The digest is the SHA-256 over the name of each
    section and the sorted SHA-256s of its lines, so it depends on no order, and two different
    contents have the same digest only if SHA-256 has a collision.
    """
    whole = hashlib.sha256()
    parts = list(_parts(connection))
    for section in SECTIONS:
        whole.update(section.encode() + b"\n")
        connection.execute("CREATE OR REPLACE TEMP TABLE digest_line (hash BLOB)")
        query = (
            f"INSERT INTO digest_line SELECT unhex(sha256(line)) FROM ({sql(f'digest_{section}')})"  # noqa: S608 -- our own file
        )
        for part in parts if section in _LARGE else [None]:
            connection.execute(query, part)
        reader = connection.execute("FROM digest_line ORDER BY hash").to_arrow_reader(100_000)
        for batch in reader:
            hashes: list[Any] = batch.column(0).to_pylist()
            whole.update(b"".join(hashes))
    connection.execute("DROP TABLE digest_line")
    return whole.hexdigest()


def _parts(connection: duckdb.DuckDBPyConnection) -> Iterator[dict[str, int]]:
    """Ranges of ids that have all of them."""
    query = "SELECT coalesce(max(n), 0) FROM core.identifier"
    ((last,),) = connection.execute(query).fetchall()
    for first in range(0, last + 1, _IDS_MAX):
        yield {"first": first, "last": first + _IDS_MAX - 1}
