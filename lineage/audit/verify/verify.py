"""Verifies a database, check by check: read-only, and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from lineage.audit.verify.checked import Checked, Examination, Sample
from lineage.audit.verify.derived import check_derived
from lineage.audit.verify.events import check_events
from lineage.audit.verify.keys import check_keys
from lineage.audit.verify.policies import check_policies
from lineage.audit.verify.records import check_history, check_note, check_positions
from lineage.audit.verify.storage import check_storage
from lineage.audit.verify.unmatched import check_unmatched
from lineage.limits import Limits

__all__ = ["Checked", "Sample", "verify"]


def verify(
    connection: duckdb.DuckDBPyConnection,
    memory_mib: int,
    folder: Path | None,
    limits: Limits,
    sample: Sample | None,
    advance: Callable[[int], None],
) -> Iterator[Checked]:
    """Yield the outcome of each check, as it is made.

    sample: the messages that are followed again by their events; None: all of them, and the digest
    is compared with the one that was noted. advance: called with the number of messages that are
    done. Where blocks are damaged, nothing else is checked.
    """
    ex = Examination(connection, memory_mib, folder, limits, sample, advance)
    storage, fingerprints = check_storage(ex)
    yield storage
    if not storage.is_sound:
        return
    is_whole = True
    for check in (check_keys, check_events, check_policies):
        for checked in check(ex):
            is_whole &= checked.is_sound
            yield checked
    yield from check_derived(ex, is_whole=is_whole)
    yield check_unmatched(ex)
    yield check_history(ex)
    yield check_positions(ex)
    yield from check_note(ex, fingerprints)
