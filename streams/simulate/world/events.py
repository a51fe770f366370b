"""Defines the columns of the simulated events, as they are passed about before they are written.

Instants are microseconds since 1970 (Int64) until then. Every frame of events also has the
column log_at, when the event comes in the log, which its own instants may differ from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

MESSAGE_SENT = "MessageSent"
RECORDS_MOVED = "RecordsMoved"
CONSENT_CHANGED = "ConsentChanged"
DATASET_DECLARED = "DatasetDeclared"
POLICY_PUBLISHED = "PolicyPublished"

_TEXT = pl.String()
_FLAG = pl.Boolean()
_INSTANT = pl.Int64()
DECLASSIFICATION = pl.Struct({"method": _TEXT, "k": pl.Int32()})
_PARTY = pl.Struct(
    {
        "role": _TEXT,
        "member_id": _TEXT,
        "tier": _TEXT,
        "region": _TEXT,
        "ai_training_consent": _FLAG,
        "third_party_consent": _FLAG,
    }
)

# In the order in which a folder's files are best read: what is declared before what it is about.
COLUMNS: dict[str, dict[str, pl.DataType]] = {
    DATASET_DECLARED: {
        "declaration_id": _TEXT,
        "dataset": _TEXT,
        "kind": _TEXT,
        "party": _TEXT,
        "recipient": _TEXT,
        "declared_at": _INSTANT,
    },
    POLICY_PUBLISHED: {
        "policy_id": _TEXT,
        "effective_at": _INSTANT,
        "disclosed_at": _INSTANT,
        "document": _TEXT,
    },
    CONSENT_CHANGED: {
        "change_id": _TEXT,
        "member_id": _TEXT,
        "purpose": _TEXT,
        "granted": _FLAG,
        "basis": _TEXT,
        "effective_at": _INSTANT,
    },
    MESSAGE_SENT: {
        "message_id": _TEXT,
        "channel": _TEXT,
        "parties": pl.List(_PARTY),
        "dataset": _TEXT,
        "sent_at": _INSTANT,
    },
    RECORDS_MOVED: {
        "hop_id": _TEXT,
        "run_id": _TEXT,
        "job": _TEXT,
        "operation": _TEXT,
        "source": _TEXT,
        "target": _TEXT,
        "inputs": pl.List(_TEXT),
        "outputs": pl.List(_TEXT),
        "declassification": DECLASSIFICATION,
        "moved_at": _INSTANT,
    },
}
INSTANTS = ("declared_at", "effective_at", "disclosed_at", "sent_at", "moved_at")

Frames = dict[str, list[pl.DataFrame]]
"""Frames of events by type."""


def schema_of(name: str) -> dict[str, pl.DataType]:
    """Return the columns of an event's frames, in order."""
    return {**COLUMNS[name], "log_at": _INSTANT}


def frame(name: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Make a frame of events from one dict an event."""
    return pl.DataFrame(list(rows), schema=schema_of(name))


def select_columns(name: str, events: pl.DataFrame) -> pl.DataFrame:
    """Select a frame's columns for this event, in order and of the right types."""
    schema = schema_of(name)
    return events.select(pl.col(column).cast(kind) for column, kind in schema.items())
