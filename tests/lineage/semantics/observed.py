"""What the tracker's tables hold, in the shape in which the reference says what they must hold."""

from collections.abc import Iterable
from typing import Any

import lineage
from tests.lineage.semantics.reference import (
    ARRIVAL_COLUMNS,
    CONFLICT_COLUMNS,
    FACT_COLUMNS,
    FLAG_COLUMNS,
    UNMATCHED_COLUMNS,
    Expected,
)
from tests.lineage.semantics.reference_log import Event, Row
from tests.stores import new_store

# What auditors see of the events themselves, apart from when the tracker acted.
EVENT_TABLES = (
    *("message", "message_party", "hop", "hop_record"),
    *("dataset", "consent_change", "policy", "run_report"),
)


def rows(store: lineage.Store, table: str, columns: Iterable[str] = ("*",)) -> list[Row]:
    """All rows of a table or view, sorted, so that equal lists are equal tables.

    Without the checks and limits of `Store.sql`, which take as long again.
    """
    with store._connection.cursor() as cursor:
        found: list[Row] = cursor.execute(f"select {', '.join(columns)} from {table}").fetchall()
    return sorted(found, key=repr)


def observed(store: lineage.Store) -> Expected:
    def unique(table: str, columns: tuple[str, ...]) -> frozenset[Row]:
        found = rows(store, table, columns)
        assert len(set(found)) == len(found), f"{table} holds a row twice"
        return frozenset(found)

    return Expected(
        arrivals=unique("arrival", ARRIVAL_COLUMNS),
        facts=unique("fact", FACT_COLUMNS),
        flags=unique("flag", FLAG_COLUMNS),
        conflicts=unique("conflict", CONFLICT_COLUMNS),
        unmatched=unique("unmatched_input", UNMATCHED_COLUMNS),
    )


def key(flag: dict[str, Any]) -> tuple[str, str, str]:
    """A flag is one (rule, message, dataset)."""
    return flag["rule"], flag["message_id"], flag["dataset"]


def keys(flags: Iterable[Row]) -> set[tuple[str, str, str]]:
    return {key(dict(zip(FLAG_COLUMNS, flag, strict=True))) for flag in flags}


def tracked(*batches: list[Event]) -> Expected:
    """The tables of a new store in memory after these batches."""
    with new_store() as store:
        for batch in batches:
            applied = store.apply(batch)
            assert not applied.dead_letters, applied.dead_letters
        return observed(store)
