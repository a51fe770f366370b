"""Tally: counts of what a worker has recorded, for its log and for the summary of `--once`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from lineage import BatchResult

__all__ = ["Tally"]

# Reasons told in a line of the log; the table dead_letter has all.
_REASONS_MAX = 3
_REASON_CHARACTERS_MAX = 120


@dataclass
class Tally:
    """Counts since a worker began.

    Attributes:
        records: Kafka records that were read and committed, dead letters among them.
        events: Events that were new.
        arrivals: Arrivals there are more.
        raised, cleared: Flags.
        unmatched_inputs: Inputs of hops there are more that held no message.
        dead_letters: By reason.
    """

    records: int = 0
    events: int = 0
    arrivals: int = 0
    raised: int = 0
    cleared: int = 0
    unmatched_inputs: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)

    def add(self, result: BatchResult) -> None:
        """Add what a batch came to."""
        self.events += result.events
        self.arrivals += result.arrivals
        self.raised += result.count_of("RAISED")
        self.cleared += result.count_of("CLEARED")
        self.unmatched_inputs += result.unmatched
        self.dead_letters.update(letter.reason for letter in result.dead_letters)

    def since(self, before: Tally) -> Tally:
        """Return what was counted after an earlier tally of the same worker."""
        letters = self.dead_letters.copy()
        letters.subtract(before.dead_letters)
        counts = {
            name: value - getattr(before, name)
            for name, value in vars(self).items()
            if isinstance(value, int)
        }
        return Tally(**counts, dead_letters=+letters)

    def copy(self) -> Tally:
        """Return the counts as they are now."""
        return Tally(**{**vars(self), "dead_letters": self.dead_letters.copy()})

    def summary(self) -> dict[str, int]:
        """Return the counts by name, dead letters together."""
        return {**vars(self), "dead_letters": self.dead_letters.total()}

    def line(self) -> str:
        """Return the counts as a sentence, with the most frequent reasons of dead letters."""
        told = (
            f"{self.records:,} records, {self.events:,} new events, {self.arrivals:,} arrivals, "
            f"{self.raised:,} flags raised, {self.cleared:,} cleared, {self.unmatched_inputs:,} "
            f"inputs that held no message, {self.dead_letters.total():,} dead letters"
        )
        reasons = (
            f"{count:,} x {reason[:_REASON_CHARACTERS_MAX]}"
            for reason, count in self.dead_letters.most_common(_REASONS_MAX)
        )
        return told + "".join(f"; {reason}" for reason in reasons)
