"""The result of one batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from lineage.codec import DeadLetter
from lineage.database.schema.tables import table
from lineage.store.flag_changes import NONE_CHANGED, FlagChanges

FLAG_COLUMNS = tuple(column.shown for column in table("flag").columns if column.shown)


@dataclass(frozen=True)
class BatchResult:
    """The result of one batch.

    Attributes:
        events: The number of new events.
        arrivals: The number of arrivals added (if negative, removed: a conflict retracts).
        dead_letters: The values that could not be used.
        unmatched: The number of inputs of hops there are more in `unmatched_input`.
        flags: The changes of flags, counted; in memory only where they are few.
    """

    events: int
    arrivals: int
    dead_letters: tuple[DeadLetter, ...]
    unmatched: int
    flags: FlagChanges = NONE_CHANGED

    @property
    def flag_changes(self) -> pa.Table:
        """Return the flags that the batch raised, cleared and updated.

        The columns are those of `flag_history` and others for publishing, in the order of seq.
        Many (`Limits.told_changes`) are read from the store, which has to be open.
        """
        return self.flags.table

    def count_of(self, status: str) -> int:
        """Count the flags RAISED, CLEARED or UPDATED."""
        return sum(count for (*_, each), count in self.flags.counts.items() if each == status)

    @cached_property
    def changes(self) -> pa.Table:
        """Return the rows of `flag_history` that the batch added, in the order of seq."""
        told = self.flag_changes.filter(pc.field("status") != "UPDATED")
        return told.select([one.shown for one in table("flag_history").columns if one.shown])

    @cached_property
    def raised(self) -> list[dict[str, object]]:
        """Return the flags that the batch raised, in the columns of `flag`."""
        return self._with("RAISED")

    @cached_property
    def cleared(self) -> list[dict[str, object]]:
        """Return the flags that the batch cleared, as they were, in the columns of `flag`."""
        return self._with("CLEARED")

    def _with(self, status: str) -> list[dict[str, object]]:
        rows = self.changes.to_pylist()
        return [{k: r[k] for k in FLAG_COLUMNS} for r in rows if r["status"] == status]
