"""The keyed batch: the rows of the event tables, every id an integer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from lineage.arrays import IntArray, int_array

# The child tables of a table.
CHILDREN = {"message": ("message_party",), "hop": ("hop_input", "hop_output")}
# The tables that have a row an event.
IDENTIFIED = ("message", "hop", "consent_change", "declaration", "policy", "run_report")
# Where an event was read, by which versions of it do not differ.
PROVENANCE = ("origin", "position")


@dataclass(frozen=True)
class KeyedBatch:
    """A batch in keys; batch["hop"] are the rows of core.hop.

    Attributes:
        tables: By table the columns of the store, and `row`, the row in the batch.
        first_new: Events with lower keys may be stored already; those from this key on cannot.
        replaced: By table the keys of events whose stored version no longer counts, if any; the
            batch has the version that does.
    """

    tables: Mapping[str, pl.DataFrame]
    first_new: int
    replaced: Mapping[str, IntArray] = field(default_factory=dict)

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.tables[table]

    @property
    def events(self) -> int:
        """Return the number of events in the batch."""
        return sum(len(self[table]) for table in IDENTIFIED)

    def with_rows(self, table: str, rows: pl.DataFrame) -> KeyedBatch:
        """Return the batch with other rows of one table."""
        return replace(self, tables={**self.tables, table: rows})

    def without(self, table: str, rows: IntArray) -> KeyedBatch:
        """Return the batch without these rows of one table, and without their child rows."""
        kept = np.ones(int(int_array(self[table]["row"]).max()) + 1, dtype=np.bool_)
        kept[rows] = False
        changed = {
            name: frame[np.flatnonzero(kept[frame["row"].to_numpy()])]
            for name in (table, *CHILDREN.get(table, ()))
            if len(frame := self[name])
        }
        return replace(self, tables={**self.tables, **changed})
