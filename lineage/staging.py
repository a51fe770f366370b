"""A batch's columns with every id as its number, ready for the tables of the store."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from lineage.arrays import Numbers, numbers
from lineage.interning import IdentifierInterner, Interner
from schemas import Batch
from schemas.events import CHANNELS, OPERATIONS, PURPOSES, TIERS

Rows = npt.NDArray[np.uint32]

SEND = 0
# In the order of the types of the store, so that an index means the same here and there.
CHANNEL = pl.Enum(CHANNELS)
_TIER = pl.Enum(TIERS)
OPERATION = pl.Enum(["SEND", *OPERATIONS])
_PURPOSE = pl.Enum(PURPOSES)


def words(indices: Numbers, of: pl.Enum) -> pl.Series:
    """The values of an enum by their index."""
    return pl.Series(of.categories, dtype=of).gather(indices)


@dataclass(frozen=True)
class Staged:
    """The columns of core.message, core.hop and so on; `row` tells the row of the batch.

    Attributes:
        first_new: Events numbered below may be in the store already; those from here on cannot.
    """

    message: pl.DataFrame
    message_party: pl.DataFrame
    hop: pl.DataFrame
    hop_input: pl.DataFrame
    hop_output: pl.DataFrame
    consent_change: pl.DataFrame
    declaration: pl.DataFrame
    policy: pl.DataFrame
    first_new: int

    def only(self, kept: dict[str, Rows]) -> Staged:
        """The rows given for each of `kept`'s tables, with all that hangs on them."""
        changes = {}
        for table, rows in kept.items():
            wanted = pl.Series(rows)
            for name in (table, *CHILDREN.get(table, ())):
                changes[name] = getattr(self, name).filter(pl.col("row").is_in(wanted.implode()))
        return replace(self, **changes)


CHILDREN = {"message": ("message_party",), "hop": ("hop_input", "hop_output")}


class Stager:
    """Numbers the ids of batches, inserting the ids that the store has not seen."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._identifiers = IdentifierInterner(connection)
        self._datasets = Interner(connection, "core.dataset_name", "intern_datasets")
        self._members = Interner(connection, "core.member", "intern_members")

    def reload(self) -> None:
        """Forget what a rolled-back transaction numbered."""
        for interner in (self._identifiers, self._datasets, self._members):
            interner.reload()

    def stage(self, batch: Batch) -> Staged:
        """`batch` in numbers. Runs inside the caller's transaction."""
        ids = self._identifiers.intern(
            [
                batch.messages["message_id"],
                batch.hop_inputs["record_id"],
                batch.hop_outputs["record_id"],
                batch.hops["hop_id"],
                batch.hops["run_id"],
                batch.consent_changes["change_id"],
                batch.declarations["declaration_id"],
                batch.policies["policy_id"],
            ]
        )
        message, input_, output, hop, run, change, declaration, policy = ids.columns
        origin, source, target, declared = self._datasets.intern(
            [
                batch.messages["dataset"],
                batch.hops["source"],
                batch.hops["target"],
                batch.declarations["dataset"],
            ]
        ).columns
        member, changed = self._members.intern(
            [batch.parties["member_id"], batch.consent_changes["member_id"]]
        ).columns
        hops = _numbered(batch.hops, n=hop, run=run, source=source, target=target).with_columns(
            pl.col("operation").cast(OPERATION)
        )
        return Staged(
            message=_numbered(batch.messages, n=message, ds=origin).with_columns(
                pl.col("channel").cast(CHANNEL)
            ),
            message_party=_numbered(
                batch.parties, n=message[_parents(batch.parties, batch.messages)], member=member
            ).with_columns(pl.col("tier").cast(_TIER)),
            hop=hops,
            hop_input=_inputs(batch, hops, input_),
            hop_output=_numbered(
                batch.hop_outputs, h=hop[_parents(batch.hop_outputs, batch.hops)], rec=output
            ),
            consent_change=_numbered(batch.consent_changes, n=change, member=changed).with_columns(
                pl.col("purpose").cast(_PURPOSE)
            ),
            declaration=_numbered(batch.declarations, n=declaration, ds=declared),
            policy=_numbered(batch.policies, n=policy),
            first_new=ids.first_new,
        )


def _numbered(frame: pl.DataFrame, **values: Numbers) -> pl.DataFrame:
    return frame.with_columns(**{name: pl.Series(column) for name, column in values.items()})


def _parents(frame: pl.DataFrame, parents: pl.DataFrame) -> Numbers:
    """For each row of `frame` the place in `parents` of the event that it belongs to."""
    row = numbers(parents["row"])
    place = np.zeros(int(row.max()) + 1 if len(row) else 0, dtype=np.int64)
    place[row] = np.arange(len(row))
    return place[numbers(frame["row"])]


def _inputs(batch: Batch, hops: pl.DataFrame, records: Numbers) -> pl.DataFrame:
    place = _parents(batch.hop_inputs, hops)
    keeps_id = np.ones(len(hops), dtype=np.bool_)
    keeps_id[_parents(batch.hop_outputs, hops)] = False
    of_hop = hops.select(
        "source", "target", "operation", "moved_at", h="n", keeps_id=pl.Series(keeps_id)
    )
    return pl.concat(
        [batch.hop_inputs.with_columns(rec=pl.Series(records)), of_hop[place]], how="horizontal"
    )
