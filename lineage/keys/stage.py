"""A batch's columns with every id as its number, ready for the tables of the store."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import BoolArray, IntArray
from lineage.ingest.encode import EncodedBatch
from lineage.keys.surrogate_keys import IdentifierInterner, Interner


@dataclass(frozen=True)
class KeyedBatch:
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

    def without(self, table: str, rows: IntArray) -> KeyedBatch:
        """All but the rows given of one table, and what hangs on them."""
        events = getattr(self, table)
        kept = np.ones(int(events["row"].max()) + 1, dtype=np.bool_)
        kept[rows] = False
        return replace(
            self,
            **{
                name: frame[np.flatnonzero(kept[frame["row"].to_numpy()])]
                for name in (table, *CHILDREN.get(table, ()))
                if len(frame := getattr(self, name))
            },
        )


CHILDREN = {"message": ("message_party",), "hop": ("hop_input", "hop_output")}


class Stager:
    """Numbers the ids of batches, inserting the ids that the store has not seen."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._identifiers = IdentifierInterner(connection)
        self._datasets = Interner(connection, "core.dataset_name", "keys/intern_datasets")
        self._members = Interner(connection, "core.member", "keys/intern_members")

    def reload(self) -> None:
        """Forget what a rolled-back transaction numbered."""
        for interner in (self._identifiers, self._datasets, self._members):
            interner.reload()

    def stage(self, prepared: EncodedBatch) -> KeyedBatch:
        """A batch in numbers. Runs inside the caller's transaction."""
        tables, owners = prepared.tables, prepared.owners
        ids = self._identifiers.intern(prepared.identifiers)
        message, input_, output, hop, run, change, declaration, policy = ids.columns
        origin, source, target, declared = self._datasets.intern(prepared.datasets).columns
        member, changed = self._members.intern(prepared.members).columns
        keeps_id = np.ones(len(hop), dtype=np.bool_)
        keeps_id[owners["hop_outputs"]] = False
        return KeyedBatch(
            message=_numbered(tables["messages"], n=message, ds=origin),
            message_party=_numbered(tables["parties"], n=message[owners["parties"]], member=member),
            hop=_numbered(
                tables["hops"], n=hop, run=run, source=source, target=target, keeps_id=keeps_id
            ),
            hop_input=_numbered(tables["hop_inputs"], h=hop[owners["hop_inputs"]], rec=input_),
            hop_output=_numbered(tables["hop_outputs"], h=hop[owners["hop_outputs"]], rec=output),
            consent_change=_numbered(tables["consent_changes"], n=change, member=changed),
            declaration=_numbered(tables["declarations"], n=declaration, ds=declared),
            policy=_numbered(tables["policies"], n=policy),
            first_new=ids.first_new,
        )


def _numbered(frame: pl.DataFrame, **values: IntArray | BoolArray) -> pl.DataFrame:
    return frame.hstack([pl.Series(name, column) for name, column in values.items()])
