"""How late history goes: what is later than all of it need not be looked for in it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from lineage.arrays import numbers
from lineage.reach import Arrivals
from lineage.staging import Staged

_LATEST = (
    "SELECT coalesce((SELECT epoch_us(max(moved_at)) FROM core.hop), -1), "
    "coalesce((SELECT epoch_us(max(arrived_at)) FROM core.arrival), -1)"
)


@dataclass(frozen=True)
class Latest:
    """Instants (microseconds) that no stored hop, and no stored arrival, is later than."""

    hop: int
    arrival: int

    @classmethod
    def stored(cls, connection: duckdb.DuckDBPyConnection) -> Latest:
        """Those of the store."""
        ((hop, arrival),) = connection.execute(_LATEST).fetchall()
        return cls(hop, arrival)

    def after(self, fresh: Staged, arrived: Arrivals) -> Latest:
        """Those after a batch."""
        hop = int(numbers(fresh.hop["moved_at"]).max(initial=self.hop))
        return Latest(hop, max(hop, int(arrived.arrived_at.max(initial=self.arrival))))
