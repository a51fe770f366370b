"""The digest: one hash of all recorded contents; stores with equal contents have equal digests."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from lineage.audit.digest.hash_sort import HASH_BYTES, HashSort
from lineage.audit.portions import portions
from lineage.database.schema.ddl import digest_line, joins, shown
from lineage.database.schema.model import Reference
from lineage.database.schema.tables import table
from lineage.database.statements import sql
from lineage.limits import Limits

SECTIONS = (
    "message",
    "hop",
    "consent_change",
    "declaration",
    "policy",
    "arrival",
    "flag",
    "run_report",
)
# Sections that came later are in the digest where they have rows: a log without them keeps its own.
_WHERE_FILLED = frozenset({"run_report"})
# Large sections are read by ranges of ids, so that the rows of a range fit into the memory. By
# section: its tables, and their columns that hold these ids.
_LARGE = {
    "message": (("message_party", "message"),),
    "hop": (("hop_input", "hop"), ("hop_output", "hop")),
    "arrival": (("arrival", "message"),),
}
_ROWS_PER_MIB = 64
# By reference: the relation of the queries that has the texts of one range.
_PARTS = {Reference.ID: "name", Reference.MEMBER: "member"}


def digest(
    connection: duckdb.DuckDBPyConnection, memory_mib: int, folder: Path | None, limits: Limits
) -> str:
    """Return the SHA-256 in hex over the events, arrivals and flags.

    Every row is one line of canonical text. The digest is the SHA-256 over the name of each
    section and the sorted SHA-256s of its lines, so it depends on no order, and two different
    contents have the same digest only if SHA-256 has a collision.

    memory_mib: the memory of the database, which bounds the rows read at a time. folder: for
    hashes that do not fit into memory; None: the folder of temporary files.
    """
    whole = hashlib.sha256()
    rows_max = min(limits.digest_rows, memory_mib * _ROWS_PER_MIB)
    for section in SECTIONS:
        if section in _WHERE_FILLED and _is_empty(connection, section):
            continue
        whole.update(section.encode() + b"\n")
        query = f"SELECT unhex(sha256(line)) FROM ({_lines(section)})"  # noqa: S608 -- our own file
        parts = portions(connection, _LARGE[section], rows_max) if section in _LARGE else [None]
        with HashSort(folder, limits.digest_bytes) as hashes:
            for part in parts:
                for batch in connection.execute(query, part).to_arrow_reader(100_000):
                    hashes.add(_bytes_of(batch.column(0)))
            for some in hashes.sorted():
                whole.update(some)
    return whole.hexdigest()


def _is_empty(connection: duckdb.DuckDBPyConnection, section: str) -> bool:
    return not connection.execute(f"FROM core.{section} LIMIT 1").fetchall()


def _lines(section: str) -> str:
    """Return the query for the lines of a section: the columns of its table in the model."""
    of = table(section)
    columns = of.canonical
    if section not in _LARGE:
        where = f"WHERE t.{of.digest_where}" if of.digest_where else ""
        return sql("audit/digest_table").format(
            line=digest_line(columns), table=section, joins=joins(columns), where=where
        )
    ids = " UNION ALL ".join(
        f"SELECT t.{column.name} AS id FROM part t"  # noqa: S608 -- the model's names
        for column in columns
        if column.reference is Reference.ID
    )
    party = [column for column in table("message_party").columns if column.field != "ordinal"]
    party = [column for column in party if column.name != "message"]
    return sql(f"audit/digest_{section}").format(
        line=digest_line(columns),
        joins=joins(columns, _PARTS),
        ids=ids,
        party_line=", ".join(map(shown, party)),
        party_joins=joins(party, _PARTS),
    )


def _bytes_of(column: pa.Array[Any]) -> bytes:
    """Return the values of a column of hashes, one after another."""
    binary = column.cast(pa.binary())
    _, offsets, data = binary.buffers()
    if offsets is None or data is None:
        return b""
    start = int(np.frombuffer(memoryview(offsets), np.int32)[binary.offset])
    return bytes(memoryview(data)[start : start + len(binary) * HASH_BYTES])
