"""One line for all that is recorded: two stores that say the same have the same digest."""

from __future__ import annotations

import hashlib
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


def digest(connection: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 in hex over the events, arrivals and flags.

    Every row is one line of canonical text. The digest is the SHA-256 over the name of each
    section and the sorted SHA-256s of its lines, so it depends on no order, and two different
    contents have the same digest only if SHA-256 has a collision.
    """
    whole = hashlib.sha256()
    for section in SECTIONS:
        whole.update(section.encode() + b"\n")
        lines = sql(f"digest_{section}")
        reader = connection.execute(
            f"SELECT unhex(sha256(line)) AS hash FROM ({lines}) ORDER BY hash"  # noqa: S608 -- our own file
        ).to_arrow_reader(100_000)
        for batch in reader:
            hashes: list[Any] = batch.column(0).to_pylist()
            whole.update(b"".join(hashes))
    return whole.hexdigest()
