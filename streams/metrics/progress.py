"""Progress: how far a worker is behind its topics, as it was looked at last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Lag", "Progress"]


@dataclass(frozen=True)
class Lag:
    """How far one partition is behind: records, and seconds since what was recorded last of it.

    seconds: 0 where no record is left, None where nothing of it was recorded since the start.
    """

    records: int
    seconds: float | None


@dataclass(frozen=True)
class Progress:
    """What a worker knows of its topics.

    rebalancing: partitions are being assigned, or were never. partitions: how many there are.
    lags: by topic and partition, of those whose end is known. away_seconds: for how long the broker
    has been away.
    """

    rebalancing: bool = True
    partitions: int = 0
    lags: Mapping[tuple[str, int], Lag] = field(default_factory=dict)
    away_seconds: float | None = None
    queued_records: int = 0

    def why_not_ready(self, seconds_max: float) -> str | None:
        """Say in a sentence why it is not ready; None if it is. seconds_max: of the lag."""
        if self.away_seconds is not None:
            return f"the broker has been away for {self.away_seconds:.0f} s"
        if self.rebalancing:
            return "the consumer group is rebalancing"
        unknown = self.partitions - len(self.lags)
        if unknown > 0:
            return f"how much there is to read is not known yet of {unknown} partitions"
        for (topic, partition), lag in self.lags.items():
            if lag.records and (lag.seconds is None or lag.seconds > seconds_max):
                behind = "" if lag.seconds is None else f" and {lag.seconds:.0f} s"
                return f"{topic} partition {partition} is {lag.records:,} records{behind} behind"
        return None
