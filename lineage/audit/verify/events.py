"""Checks that each recorded event is complete, and is as the contract says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from lineage.audit.portions import portions
from lineage.audit.verify.checked import MEND_EVENTS, Checked, Examination, Problems
from lineage.codec import EventType, canonical_json
from lineage.codec.contract.events import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    RUN_REPORTED,
)
from lineage.codec.errors import EncodeError
from lineage.codec.fingerprint import as_events
from lineage.database.relations import execute_with
from lineage.database.schema.codes import LABELS
from lineage.database.schema.ddl import stored
from lineage.database.schema.tables import TABLES, table
from lineage.database.statements import sql
from lineage.keys.keyed_batch import CHILDREN

_CONFLICTS: Final = 1_000
# Columns that have a value in every row, besides keys and codes.
_FILLED: Final = {
    "message": ("sent_at",),
    "message_party": ("ordinal", "ai_training_consent", "third_party_consent"),
    "hop": ("job", "moved_at", "keeps_id", "declassifies"),
    "consent_change": ("granted", "effective_at"),
    "declaration": ("declaration_id", "declared_at"),
    "run_report": ("job", "hops", "records", "reported_at"),
    "arrival": ("arrived_at", "identifiable"),
}
_TABLES: Final[dict[str, tuple[str, EventType]]] = {
    MESSAGE_SENT.name: ("message", MESSAGE_SENT),
    RECORDS_MOVED.name: ("hop", RECORDS_MOVED),
    CONSENT_CHANGED.name: ("consent_change", CONSENT_CHANGED),
    DATASET_DECLARED.name: ("declaration", DATASET_DECLARED),
    POLICY_PUBLISHED.name: ("policy", POLICY_PUBLISHED),
    RUN_REPORTED.name: ("run_report", RUN_REPORTED),
}


def check_events(ex: Examination) -> Iterator[Checked]:
    """Check the parties of messages, the records of hops, codes, and conflicts."""
    problems = Problems()
    _check_values(ex, problems)
    for query, tables, said in (
        ("wrong_parties", [("message_party", "message")], "has not one sender and recipients"),
        ("input_twice", [("hop_input", "hop")], "has an input twice"),
        ("output_twice", [("hop_output", "hop")], "has an output twice"),
    ):
        for part in portions(ex.connection, tables, ex.limits.verified_rows):
            found = [row[0] for row in ex.rows(sql(f"audit/verify/{query}"), part)]
            if found:
                ids = ex.names(np.array(found, dtype=np.int64))
                problems.add(f"{len(found):,} of core.{tables[0][1]}: each {said}: {ids}")
    for name, id_ in (("declaration", "declaration_id"), ("policy", "policy_id")):
        twice = sql("audit/verify/event_twice").format(table=name, id=id_)
        for row in ex.rows(twice):
            problems.add(f"core.{name} has {row[0]} {row[1]} times, or under another key")
    for id_, count in ex.rows(sql("audit/verify/report_twice")):
        problems.add(f"core.run_report has {id_} {count} times")
    events = ex.number(sql("audit/count_events"))
    yield Checked("events", f"{events:,} events are complete", problems.all(), MEND_EVENTS)
    yield _check_conflicts(ex)


def _check_values(ex: Examination, problems: Problems) -> None:
    for each in TABLES:
        labelled = {
            f"{column.name} IS NULL OR {column.name} >= {len(LABELS[column.label])}": column.name
            for column in each.columns
            if column.label
        }
        empty = {f"{name} IS NULL": name for name in _FILLED.get(each.name, ())}
        conditions = {**labelled, **empty}
        if not conditions:
            continue
        counts = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
        (row,) = ex.rows(f"SELECT {counts} FROM core.{each.name}")  # noqa: S608 -- the model's names
        for name, count in zip(conditions.values(), row, strict=True):
            if count:
                problems.add(
                    f"core.{each.name}.{name}: {count} rows have no value that it can have"
                )


def _check_conflicts(ex: Examination) -> Checked:
    """Check the versions of events, and that the one that counts is the recorded one."""
    problems = Problems()
    for event, id_, why in ex.rows(sql("audit/verify/wrong_conflicts")):
        problems.add(f"core.conflict: {event} with the key {id_}: {why}")
    count = 0
    for name, (of, event) in _TABLES.items():
        query = "SELECT DISTINCT id, sha256 FROM core.conflict WHERE event = $event AND counts"
        rows = ex.rows(query + " ORDER BY id", {"event": name})
        count += len(rows)
        for first in range(0, len(rows), _CONFLICTS):
            some = {row[0]: row[1] for row in rows[first : first + _CONFLICTS]}
            for key, sha in _recorded(ex, of, event, list(some)).items():
                if sha != some[key]:
                    problems.add(
                        f"core.{of}: {ex.names(np.array([key]))} is not the version that counts"
                    )
            missing = ex.number(
                sql("audit/verify/missing_events").format(table=of), {"ids": list(some)}
            )
            if missing:
                problems.add(f"core.{of}: {missing} events that are in core.conflict are not there")
    return Checked("conflicts", f"{count:,} events with versions", problems.all(), MEND_EVENTS)


def _recorded(ex: Examination, of: str, event: EventType, keys: list[int]) -> dict[int, str]:
    """Return the SHA-256 of recorded events, '' for one that breaks the contract."""
    wanted = pl.DataFrame({"id": keys}, schema={"id": pl.Int64})
    frames = [
        execute_with(ex.connection, stored(table(name), "wanted_event"), wanted_event=wanted).pl()
        for name in (of, *CHILDREN.get(of, ()))
    ]
    return {
        key: _sha256(event, value)
        for key, value in as_events(event, frames, frames[0]["row"]).items()
    }


def _sha256(event: EventType, value: dict[str, object]) -> str:
    try:
        return hashlib.sha256(canonical_json(event, value)).hexdigest()
    except EncodeError:
        return ""
