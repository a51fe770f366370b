"""Reads every block of every table, so that DuckDB verifies its checksum."""

from __future__ import annotations

from typing import Final

import duckdb

from lineage.audit.digest.fingerprints import fingerprint, tables_of
from lineage.audit.verify.checked import MEND_EVENTS, Checked, Examination, Problems
from lineage.database.digest_notes import NOTES
from lineage.errors import is_damage, sentence

# Tables with exactly one row.
_SINGLE: Final = ("format", "latest_uuid", "outbox")


def check_storage(ex: Examination) -> tuple[Checked, dict[str, tuple[int, int]]]:
    """Check the blocks of all tables; return also the fingerprints of those that can be read."""
    problems = Problems()
    found: dict[str, tuple[int, int]] = {}
    for table in tables_of(ex.connection):
        try:
            found[table] = fingerprint(ex.connection, table)
        except duckdb.Error as error:
            if not is_damage(error):
                raise
            problems.add(f"core.{table} cannot be read: {sentence(error)}")
    for table in _SINGLE:
        rows = found.get(table, (1, 0))[0]
        if rows != 1:
            problems.add(f"core.{table} has {rows} rows instead of one")
    rows = sum(count for table, (count, _) in found.items() if table != NOTES)
    read = f"{len(found)} tables, {rows:,} rows; every block read"
    return Checked("storage", read, problems.all(), MEND_EVENTS), found
