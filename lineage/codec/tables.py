"""Converts the columns of one event type to the tables of a Batch, good events only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from lineage.codec.batch import CHILD_TABLE, COLUMNS, MAIN_TABLE, PROVENANCE
from lineage.codec.columns.validate import event_checks, failing, item_checks
from lineage.codec.contract.events import (
    MESSAGE_SENT,
    RECORDS_MOVED,
    EventType,
)
from lineage.codec.contract.fields import ONE_SENDER, too_many_arrivals
from lineage.codec.contract.limits import HOP_ARRIVALS_MAX

Tables = dict[str, pl.DataFrame]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Provenance:
    """Provenance of some events: the source they were read from, and one position each.

    partition: that of all, or one each.
    """

    source: str
    partition: int | IntArray
    positions: IntArray

    def partition_of(self, index: int) -> int:
        """Return the partition of one event."""
        return self.partition if isinstance(self.partition, int) else int(self.partition[index])

    def columns(self, rows: IntArray) -> list[pl.Series]:
        """Return the provenance columns of some of the events."""
        partition = self.partition
        partition = partition if isinstance(partition, int) else partition[rows]
        return [
            pl.Series("read_from", [self.source], pl.String).new_from_index(0, len(rows)),
            pl.Series("partition", np.full(len(rows), partition, np.int32)),
            pl.Series("position", self.positions[rows]),
        ]


def tables_of(event: EventType, columns: pl.DataFrame) -> tuple[Tables, dict[int, str]]:
    """Return tables of the good events, and for each other one its index in columns and the reason.

    columns: as `columns.validate` says, one row an event. The tables have no provenance yet.
    """
    rows = columns.with_row_index("row")
    broken = failing(rows, event_checks(event))
    arrays = {
        f.name: _exploded(rows, f.name, broken)
        for f in event.fields
        if f.kind in ("ids", "records")
    }
    for field in event.fields:
        if field.name in arrays:
            broken = failing(arrays[field.name], item_checks(field)) | broken
    if event is MESSAGE_SENT:
        broken = _not_one_sender(rows.height, arrays["parties"]) | broken
    tables = {MAIN_TABLE[event.name]: _main(event, rows)}
    for name, table in arrays.items():
        tables[CHILD_TABLE[name]] = distinct_items(table) if name != "parties" else table
    if event is RECORDS_MOVED:
        broken = _too_many_arrivals(rows.height, tables) | broken
    if broken:
        bad = pl.DataFrame({"row": list(broken)}, schema={"row": pl.UInt32})
        tables = {
            name: table.join(bad, on="row", how="anti", maintain_order="left")
            for name, table in tables.items()
        }
    return {name: shaped(name, table.to_dict()) for name, table in tables.items()}, broken


def shaped(name: str, columns: Mapping[str, pl.Series]) -> pl.DataFrame:
    """Return columns as a table of a Batch: in its order and types, without provenance."""
    wanted = {column: dtype for column, dtype in COLUMNS[name].items() if column not in PROVENANCE}
    found = ((columns[column], dtype) for column, dtype in wanted.items())
    return pl.DataFrame([one if one.dtype == dtype else one.cast(dtype) for one, dtype in found])


def merge_tables(some: Tables, others: Tables, rows: IntArray) -> Tables:
    """Merge tables in the order of their rows; `rows` gives the others new row numbers."""
    numbers = pl.Series("row", rows, pl.UInt32)
    moved = {
        name: table.with_columns(numbers.gather(table["row"])) for name, table in others.items()
    }
    if not some:
        return moved
    return {
        name: pl.concat([table, moved[name]]).sort("row", maintain_order=True)
        if name in moved
        else table
        for name, table in some.items()
    }


def with_provenance(event: EventType, tables: Tables, where: Provenance) -> Tables:
    """Return the tables with provenance. where: of all the events that `row` numbers."""
    if not tables:
        return {}
    name = MAIN_TABLE[event.name]
    rows = tables[name]["row"].to_numpy().astype(np.int64)
    return {**tables, name: tables[name].hstack(where.columns(rows))}


def _main(event: EventType, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unnest("declassification") if event is RECORDS_MOVED else rows


def _exploded(rows: pl.DataFrame, array: str, broken: Mapping[int, str]) -> pl.DataFrame:
    lists = pl.col(array).list
    filled = rows.select("row", array).filter(lists.len() > 0)
    if array != "parties":
        return filled.explode(array).rename({array: "record_id"})
    ordinal = pl.int_ranges(0, lists.len(), dtype=pl.UInt32).alias("ordinal")
    return filled.with_columns(ordinal).explode(array, "ordinal").unnest(array)


def distinct_items(items: pl.DataFrame) -> pl.DataFrame:
    """Return the columns row and record_id with each record once a row.

    items: the same columns; the items of a row are neighbours.
    """
    # Most arrays have one item, and comparing strings is expensive: nearly always, hashes tell that
    # there is no double, and only arrays with several items need them.
    rows = items["row"].to_numpy()
    as_before = rows[1:] == rows[:-1]
    if not as_before.any():
        return items
    some = np.flatnonzero(np.append(as_before, False) | np.append(False, as_before))
    hashes = items["record_id"].hash().to_numpy()[some]
    mixed = np.sort(hashes ^ (rows[some].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)))
    return items.unique(maintain_order=True) if (mixed[1:] == mixed[:-1]).any() else items


def _too_many_arrivals(hops: int, tables: Tables) -> dict[int, str]:
    inputs, outputs = (
        np.bincount(tables[name]["row"].to_numpy(), minlength=hops)
        for name in ("hop_inputs", "hop_outputs")
    )
    wrong = np.flatnonzero(inputs * np.maximum(outputs, 1) > HOP_ARRIVALS_MAX)
    found = {int(row): too_many_arrivals(int(inputs[row]), int(outputs[row])) for row in wrong}
    return {row: reason for row, reason in found.items() if reason}


def _not_one_sender(events: int, parties: pl.DataFrame) -> dict[int, str]:
    rows = parties["row"].to_numpy()
    senders, recipients = (
        np.bincount(rows[(parties["role"] == role).fill_null(False).to_numpy()], minlength=events)
        for role in ("SENDER", "RECIPIENT")
    )
    wrong = np.flatnonzero((senders != 1) | (recipients == 0))
    return dict.fromkeys(wrong.tolist(), ONE_SENDER)
