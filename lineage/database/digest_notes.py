"""Notes of a digest: what a database held at an instant, to be held against it later.

A note holds until anything is recorded, so that recording costs one statement for each note.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from lineage.database.statements import sql

# By table of core: its rows, and a sum of their hashes.
Fingerprints = Mapping[str, tuple[int, int]]
NOTES = "digest_note"


@dataclass(frozen=True)
class DigestNote:
    """What a database held when its digest was noted.

    Attributes:
        digest: The digest.
        noted_at: When, naive UTC; None if it was not told.
        events: The number of events.
        fingerprints: Of all tables but that of the notes.
        holds: False once anything was recorded.
        is_whole: False where it, or a note before it, is not as it was made.
    """

    digest: str
    noted_at: datetime | None
    events: int
    fingerprints: Fingerprints
    holds: bool
    is_whole: bool


def last_note(connection: duckdb.DuckDBPyConnection) -> DigestNote | None:
    """Return the note that was made last, if there is one."""
    row = connection.execute(sql("database/last_note")).fetchone()
    if row is None:
        return None
    digest, noted_at, events, tables, holds, is_whole = row
    try:
        found = {
            name: (int(rows), int(total)) for name, (rows, total) in json.loads(tables).items()
        }
    except (TypeError, ValueError):
        found, is_whole = {}, False
    return DigestNote(digest, noted_at, events or 0, found, bool(holds), bool(is_whole))


def note_digest(
    connection: duckdb.DuckDBPyConnection,
    digest: str,
    fingerprints: Fingerprints,
    at: datetime | None,
) -> None:
    """Note a digest. at: naive UTC."""
    tables = json.dumps({name: (rows, str(total)) for name, (rows, total) in fingerprints.items()})
    parameters = {"digest": digest, "at": at, "tables": tables}
    connection.execute("BEGIN")
    connection.execute(sql("database/note_digest"), parameters)
    connection.execute("COMMIT")


def outdate_note(connection: duckdb.DuckDBPyConnection) -> None:
    """Record that the last note holds no longer, if there is one that does."""
    if connection.execute("FROM core.format WHERE note_holds").fetchone() is not None:
        connection.execute("UPDATE core.format SET note_holds = false")
        connection.execute(f"UPDATE core.{NOTES} SET holds = false WHERE holds")  # noqa: S608 -- a name of ours
