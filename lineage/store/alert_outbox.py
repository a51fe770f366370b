"""Alert outbox: the changes of flags for each receiver of alerts, and which of them it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineage.judge.outbox import changes_after, standing_flags
from lineage.store.writer import Writer

__all__ = ["AlertOutbox"]


class AlertOutbox:
    """Reads and notes through the writer, and so in its thread. All raise StoreError.

    What is read is committed, so that nothing is told which a failing transaction takes back.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def latest(self) -> int:
        """Return the seq of the last change of a flag, 0 if there was none."""
        with self._writer.written() as connection:
            query = "SELECT coalesce(max(seq), 0) FROM core.flag_history"
            ((seq,),) = connection.execute(query).fetchall()
            return int(seq)

    def changes_after(self, seq: int, count: int) -> list[dict[str, Any]]:
        """Return so many changes of flags after a seq, in order: FlagRaised and `recorded_at`."""
        with self._writer.written() as connection:
            return changes_after(connection, seq, count)

    def standing(self, severities: Sequence[str], first: int, count: int) -> list[dict[str, Any]]:
        """Return so many of the standing flags of some severities from a place on."""
        with self._writer.written() as connection:
            return standing_flags(connection, severities, first, count)

    def told(self) -> dict[str, int]:
        """Return by the name of each receiver the seq of the last change that it has."""
        with self._writer.written() as connection:
            return dict(connection.execute("FROM core.alert_target").fetchall())

    def note(self, name: str, seq: int) -> None:
        """Note the last change that a receiver has."""
        with self._writer.written() as connection:
            connection.execute("BEGIN")
            self._writer.outdate_note()
            connection.execute("DELETE FROM core.alert_target WHERE name = ?", [name])
            connection.execute("INSERT INTO core.alert_target VALUES (?, ?)", [name, seq])
            connection.execute("COMMIT")
