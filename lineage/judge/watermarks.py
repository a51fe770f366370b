"""High watermarks: nothing stored is later, so later events need no lookup in the store."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from lineage.arrays import int_array
from lineage.keys.keyed_batch import KeyedBatch
from lineage.reach.arrivals import Arrivals

_LATEST = (
    "SELECT coalesce((SELECT epoch_us(max(moved_at)) FROM core.hop), -1), "
    "coalesce((SELECT epoch_us(max(arrived_at)) FROM core.arrival), -1), "
    "coalesce((SELECT max(seq) FROM core.flag_history), 0)"
)


@dataclass(frozen=True)
class Watermarks:
    """High watermarks of the store.

    hop, arrival: instants (microseconds) that no stored hop, and no stored arrival, is later than.
    flag: the last seq of core.flag_history.
    """

    hop: int
    arrival: int
    flag: int

    @classmethod
    def stored(cls, connection: duckdb.DuckDBPyConnection) -> Watermarks:
        """Return the watermarks of the store."""
        return cls(*connection.execute(_LATEST).fetchall()[0])

    def after(self, batch: KeyedBatch, arrived: Arrivals, flags: int) -> Watermarks:
        """Return the watermarks after a batch, which changed so many flags."""
        hop = int(int_array(batch["hop"]["moved_at"]).max(initial=self.hop))
        arrival = max(hop, int(arrived.arrived_at.max(initial=self.arrival)))
        return Watermarks(hop, arrival, self.flag + flags)
