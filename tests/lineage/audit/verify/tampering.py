"""A database with something in every table, and ways of tampering with each row and column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

import lineage
from lineage.codec import from_events
from lineage.database.positions import TopicIdentity
from tests.lineage.events.builders import (
    Event,
    at,
    consent,
    declared,
    hop,
    message,
    party,
    policy,
    reported,
)

_UUID = "018ff991-8c99-7655-ad88-8ddcae1470e{}"
EVENTS: list[Event] = [
    message("m1"),
    message(_UUID.format(1)),
    message(
        "m2",
        channel="DIRECT",
        parties=[party("SENDER", "ann", tier="RECRUITER", ai=False), party("RECIPIENT", "bob")],
    ),
    policy(
        "p1", [("no-noise", "HIGH", "identifiable and party = 'THIRD'")],
        effective_at=at(2), disclosed_at=at(3), declassification=[("noise", 10)],
        exempt_regions=["DE"],
    ),
    policy("p2", [("third", "LOW", "party = 'THIRD' or message_id = 'm2'")], effective_at=at(6)),
    declared("d1", "vendor", "SINK", "THIRD", "Acme"),
    declared("d2", "vendor", "SINK", "FIRST", declared_at=at(8)),
    consent("c1", "ann", granted=False),
    consent("c2", "bob", granted=True, purpose="THIRD_PARTY", effective_at=at(7)),
    hop("h1", "inbox", "lake", ["m1", "m2", _UUID.format(1), "nothing"], moved_at=at(1)),
    hop("h2", "lake", "clean", ["m1"], moved_at=at(3), declassification=("noise", 11)),
    hop("h3", "lake", "vendor", ["m1", "m2"], ["shard", _UUID.format(2)], moved_at=at(4)),
    hop("h4", "clean", "vendor", ["m1"], moved_at=at(5)),
    hop("h5", "vendor", "elsewhere", ["shard"], ["x"], moved_at=at(9)),
    message("m3", dataset="inbox"),
    reported("o1", "run", hops=5, records=15, reported_at=at(9)),
    {"event": "Nothing"},
]  # fmt: skip
AGAIN: list[Event] = [
    message("m3", dataset="outbox"),
    declared("d3", "lake", "TABLE", "THIRD", "Else", declared_at=at(2)),
]


def recorded(path: Path) -> Path:
    """Record the events at `path`, and note the digest; the first batch has dead letters."""
    with lineage.open(path) as store:
        store.identify({"a": TopicIdentity("cluster", "topic")})
        store.apply_batch(from_events(EVENTS, "a"), {("a", 0): 18, ("a", 1): 3})
        store.apply(AGAIN)
        store.apply([declared("d3", "lake", "TABLE", "FIRST", declared_at=at(2))])
        store.published(1)
        store.alert_outbox.note("on-call", 1)
        store.note_digest()
    return path


def tables(path: Path) -> dict[str, list[tuple[str, str]]]:
    """By table of core its columns, with their types."""
    query = (
        "SELECT c.table_name, c.column_name, c.data_type FROM duckdb_columns() c"
        " JOIN duckdb_tables() t USING (schema_name, table_name) WHERE schema_name = 'core'"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for table, column, type_ in connection.execute(query).fetchall():
            found.setdefault(table, []).append((column, type_))
    return found


def other(column: str, type_: str) -> str:
    """An expression for another value of a column."""
    if type_ == "BOOLEAN":
        return f"NOT {column}"
    if type_ == "TIMESTAMP":
        return (
            f"CASE WHEN isinf({column}) OR {column} IS NULL THEN TIMESTAMP '2024-09-18'"
            f" ELSE {column} + INTERVAL 1 MICROSECOND END"
        )
    if type_ == "UUID":
        return "uuid '018ff991-8c99-7655-ad88-8ddcae147fff'"
    if type_.startswith("ENUM"):
        return f"enum_last({column})" if "LOW" not in type_ else "'MEDIUM'"
    if type_.endswith("[]"):
        return f"list_append({column}, 'x')"
    if type_ == "VARCHAR":
        return f"coalesce({column}, '') || 'x'"
    return f"coalesce({column}, 0) + 1"


def tampered(table: str, columns: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What to do to a table, and the statement: a row removed, one twice, one changed each way."""
    last = f"(SELECT max(rowid) FROM core.{table})"
    yield "removed", f"DELETE FROM core.{table} WHERE rowid = {last}"
    yield "twice", f"INSERT INTO core.{table} FROM core.{table} WHERE rowid = {last}"
    for column, type_ in columns:
        value = other(column, type_)
        yield column, f"UPDATE core.{table} SET {column} = {value} WHERE rowid = {last}"
