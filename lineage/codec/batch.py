"""The result of decoding: tables of good events, and a dead letter for everything else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from lineage.codec.contract.events import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    INPUTS,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    RUN_REPORTED,
    EventType,
)
from lineage.codec.contract.fields import Field, Kind
from lineage.codec.contract.limits import KEPT_BYTES_MAX

# The table of a Batch that has one row an event of each type, and those with a row for each item of
# its arrays.
MAIN_TABLE: Final = {
    MESSAGE_SENT.name: "messages",
    RECORDS_MOVED.name: "hops",
    CONSENT_CHANGED.name: "consent_changes",
    DATASET_DECLARED.name: "declarations",
    POLICY_PUBLISHED.name: "policies",
    RUN_REPORTED.name: "run_reports",
}
CHILD_TABLE: Final = {"parties": "parties", "inputs": "hop_inputs", "outputs": "hop_outputs"}

_Dtype = pl.DataType | type[pl.DataType]
# Provenance, where the event of a row was read: the last columns of each table with one row an
# event.
PROVENANCE: dict[str, _Dtype] = {
    "read_from": pl.String,
    "partition": pl.Int32,
    "position": pl.Int64,
}
_DTYPES: dict[Kind, _Dtype] = {
    **dict.fromkeys(("id", "text", "region"), pl.String),
    "bool": pl.Boolean,
    "int": pl.Int32,
    "long": pl.Int64,
    "instant": pl.Datetime("us"),
}


def _columns(fields: Iterable[Field]) -> dict[str, _Dtype]:
    """Return a column for each field; those of a record are its fields, those of arrays are not."""
    columns: dict[str, _Dtype] = {}
    for field_ in fields:
        if field_.kind == "record":
            columns |= _columns(field_.fields)
        elif field_.kind == "enum":
            columns[field_.name] = pl.Enum(field_.symbols)
        elif field_.kind not in ("ids", "records"):
            columns[field_.name] = _DTYPES[field_.kind]
    return columns


def _tables(event: EventType) -> dict[str, dict[str, _Dtype]]:
    tables = {MAIN_TABLE[event.name]: {"row": pl.UInt32, **_columns(event.fields), **PROVENANCE}}
    for array in event.fields:
        if array.kind == "ids":
            tables[CHILD_TABLE[array.name]] = {"row": pl.UInt32, "record_id": pl.String}
        elif array.kind == "records":
            items = {"row": pl.UInt32, "ordinal": pl.UInt32, **_columns(array.fields)}
            tables[CHILD_TABLE[array.name]] = items
    return tables


# The columns of each table of a Batch, by the fields of the schemas. Instants are UTC without a
# zone, enums have the symbols of the schema in its order. Where an event was read is read_from, not
# source: a hop's source is the dataset that its inputs are in.
COLUMNS: Final = {name: columns for event in INPUTS for name, columns in _tables(event).items()}
_EMPTY = {name: pl.DataFrame(schema=columns) for name, columns in COLUMNS.items()}

# For each table with one row an event, its child tables, which refer to it by row.
CHILD_TABLES: Final[dict[str, tuple[str, ...]]] = {
    MAIN_TABLE[event.name]: tuple(list(_tables(event))[1:]) for event in INPUTS
}


@dataclass(frozen=True, slots=True)  # there can be millions
class DeadLetter:
    """A value that can't be decoded or breaks the contract.

    source, partition, position: topic, partition and offset; or path, 0 and line number or
        record number (from 1; 0: the whole file); or "apply", 0 and index in the batch (from 0).
    reason: what was wrong and what would be right; never the text of an unknown value.
    sha256: hex digest of the bytes.
    value: the bytes, for the dead-letter topic alone: they could hold a message's text.
        None: there were none (a Kafka record without a value), or they are in a file, which is
        only replayed, or are too many.
    """

    source: str
    partition: int
    position: int
    reason: str
    sha256: str
    value: bytes | None = field(repr=False, default=None)

    @classmethod
    def of(
        cls,
        source: str,
        partition: int,
        position: int,
        reason: str,
        value: bytes | None,
        *,
        kept: bool = True,
    ) -> DeadLetter:
        """Return a dead letter with the digest of its bytes (of no bytes where there are none).

        kept: with the bytes themselves, if they are not too many for a record of Kafka.
        """
        digest = hashlib.sha256(value or b"").hexdigest()
        kept = kept and len(value or b"") <= KEPT_BYTES_MAX
        return cls(source, partition, position, reason, digest, value if kept else None)


@dataclass(frozen=True, eq=False)  # tables have no one answer to whether they are equal
class Batch:
    """Good events as tables (their columns: `COLUMNS`), and a dead letter for each other one.

    row numbers the events of one table and joins parties to messages, and hop_inputs and
    hop_outputs to hops. Rows are in the order in which the events were read; parties keep
    theirs as ordinal, from 0. Record ids are unique in each row.
    """

    messages: pl.DataFrame
    parties: pl.DataFrame
    hops: pl.DataFrame
    hop_inputs: pl.DataFrame
    hop_outputs: pl.DataFrame
    consent_changes: pl.DataFrame
    declarations: pl.DataFrame
    policies: pl.DataFrame
    run_reports: pl.DataFrame
    dead_letters: tuple[DeadLetter, ...] = ()

    @property
    def events(self) -> int:
        """Return the number of good events in the batch."""
        return sum(getattr(self, table).height for table in CHILD_TABLES)

    @property
    def bytes(self) -> int:
        """Return about how many bytes the tables take in memory."""
        return sum(int(getattr(self, table).estimated_size()) for table in COLUMNS)

    def cut(self, name: str, start: int, end: int) -> Batch:
        """Return the events of one table from a place on up to another, with their child rows."""
        part = getattr(self, name)[start:end]
        tables = {name: part}
        for child in CHILD_TABLES[name]:
            table = getattr(self, child)
            ends = [part["row"][0], part["row"][-1] + 1] if len(part) else [0, 0]
            first, last = np.searchsorted(table["row"].to_numpy(), ends)
            tables[child] = table[int(first) : int(last)]
        return Batch.of(tables)

    @classmethod
    def of(
        cls, tables: Mapping[str, pl.DataFrame], dead_letters: Iterable[DeadLetter] = ()
    ) -> Batch:
        """Return a batch of these tables, the others empty."""
        return cls(**{**_EMPTY, **tables}, dead_letters=tuple(dead_letters))

    @classmethod
    def empty(cls) -> Batch:
        """Return a batch of no events."""
        return cls.of({})

    @classmethod
    def concat(cls, batches: Iterable[Batch]) -> Batch:
        """Concatenate batches, in this order, with rows numbered anew."""
        parts = list(batches)
        if len(parts) == 1:
            return parts[0]
        tables: dict[str, pl.DataFrame] = {}
        for main, children in CHILD_TABLES.items():
            filled = [part for part in parts if getattr(part, main).height]
            if not filled:
                continue
            shifts = []
            shift = 0
            for part in filled:
                shifts.append(shift)
                shift += int(getattr(part, main)["row"].max()) + 1
            for table in (main, *children):
                tables[table] = pl.concat(
                    getattr(part, table).with_columns(pl.col("row") + pl.lit(by, pl.UInt32))
                    for part, by in zip(filled, shifts, strict=True)
                )
        return cls.of(tables, (letter for part in parts for letter in part.dead_letters))
