"""From the columns of one event type to the tables of a Batch, good events only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from schemas.batch import COLUMNS
from schemas.checks import ONE_SENDER, event_checks, failing, item_checks
from schemas.events import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    EventType,
)

_MAIN_TABLE = {
    MESSAGE_SENT.name: "messages",
    RECORDS_MOVED.name: "hops",
    CONSENT_CHANGED.name: "consent_changes",
    DATASET_DECLARED.name: "declarations",
    POLICY_PUBLISHED.name: "policies",
}
_HANGING_TABLE = {"parties": "parties", "inputs": "hop_inputs", "outputs": "hop_outputs"}


@dataclass(frozen=True)
class Where:
    """Where the events of some columns were read: one position a row.

    partition: that of all rows, or one a row.
    """

    source: str
    partition: int | Sequence[int]
    positions: Sequence[int]

    def partition_of(self, index: int) -> int:
        """The partition of one row."""
        return self.partition if isinstance(self.partition, int) else self.partition[index]

    def only(self, rows: Sequence[int]) -> Where:
        """The same of some rows."""
        partition = self.partition
        if not isinstance(partition, int):
            partition = [partition[i] for i in rows]
        return Where(self.source, partition, [self.positions[i] for i in rows])


def _partitions(partition: int | Sequence[int]) -> pl.Expr:
    if isinstance(partition, int):
        return pl.lit(partition, pl.Int32)
    return pl.lit(pl.Series(partition, dtype=pl.Int32))


def tables_of(
    event: EventType, columns: pl.DataFrame, where: Where
) -> tuple[dict[str, pl.DataFrame], dict[int, str]]:
    """Tables of the good events, and for each other one its index in columns and the reason.

    columns: as `checks` says, one row an event. where.positions: as many, in the same order.
    """
    rows = columns.with_row_index("row").with_columns(
        pl.lit(where.source).alias("read_from"),
        _partitions(where.partition).alias("partition"),
        pl.Series("position", where.positions, pl.Int64),
    )
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
    tables = {_MAIN_TABLE[event.name]: _main(event, rows)}
    for name, table in arrays.items():
        tables[_HANGING_TABLE[name]] = _unique(table) if name != "parties" else table
    if broken:
        bad = pl.DataFrame({"row": list(broken)}, schema={"row": pl.UInt32})
        tables = {
            name: table.join(bad, on="row", how="anti", maintain_order="left")
            for name, table in tables.items()
        }
    shaped = {
        name: table.select(pl.col(column).cast(dtype) for column, dtype in COLUMNS[name].items())
        for name, table in tables.items()
    }
    return shaped, broken


def _main(event: EventType, rows: pl.DataFrame) -> pl.DataFrame:
    instants = [f.name for f in event.fields if f.kind == "instant"]
    rows = rows.with_columns(pl.col(instants).cast(pl.Datetime("us")))
    return rows.unnest("declassification") if event is RECORDS_MOVED else rows


def _exploded(rows: pl.DataFrame, array: str, broken: Mapping[int, str]) -> pl.DataFrame:
    lists = pl.col(array).list
    filled = rows.select("row", array).filter(lists.len() > 0)
    if array != "parties":
        return filled.explode(array).rename({array: "record_id"})
    ordinal = pl.int_ranges(0, lists.len(), dtype=pl.UInt32).alias("ordinal")
    return filled.with_columns(ordinal).explode(array, "ordinal").unnest(array)


def _unique(items: pl.DataFrame) -> pl.DataFrame:
    # Most arrays have one item, and hashing is the dear part: look for doubles only in the others.
    several = items["row"].is_duplicated()
    if not several.any():
        return items
    doubles = items.filter(several).is_duplicated().any()
    return items.unique(maintain_order=True) if doubles else items


def _not_one_sender(events: int, parties: pl.DataFrame) -> dict[int, str]:
    senders = parties.lazy().filter(pl.col("role") == "SENDER").group_by("row").len("senders")
    recipients = (
        parties.lazy().filter(pl.col("role") == "RECIPIENT").group_by("row").len("recipients")
    )
    right = (
        senders.filter(pl.col("senders") == 1).join(recipients, on="row").select("row").collect()
    )
    if right.height == events:
        return {}
    return dict.fromkeys(set(range(events)).difference(right["row"]), ONE_SENDER)
