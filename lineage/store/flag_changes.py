"""The changes of flags of one batch: in memory where they are few, else in the database alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from lineage.judge.outbox import NO_CHANGES

_COUNTED = ("rule", "severity", "status")


@dataclass(frozen=True)
class HeldChanges:
    """Changes in memory. table: as `Outbox.rows`."""

    table: pa.Table

    @property
    def held(self) -> pa.Table | None:
        """Return the changes without asking the database."""
        return self.table

    @cached_property
    def counts(self) -> Mapping[tuple[str, str, str], int]:
        """Count the changes by rule, severity and status."""
        return Counter(zip(*(self.table[name].to_pylist() for name in _COUNTED), strict=True))


@dataclass(frozen=True)
class StoredChanges:
    """Changes that are read when they are asked for; what is stored of them never changes.

    counts: by rule, severity and status. read: reads them, as `Outbox.rows`.
    """

    counts: Mapping[tuple[str, str, str], int]
    read: Callable[[], pa.Table]

    @property
    def held(self) -> pa.Table | None:
        """Return None: they have to be read."""
        return None

    @cached_property
    def table(self) -> pa.Table:
        """Read all changes. They take memory."""
        return self.read()


FlagChanges = HeldChanges | StoredChanges
NONE_CHANGED = HeldChanges(NO_CHANGES)
