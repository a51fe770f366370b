"""The time in which a document is put in the place of others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from lineage.codec.contract.instants import MICROS_MAX, micros_of
from lineage.errors import QueryError

__all__ = ["Instant", "Period", "utc_text"]

Instant = datetime | str | None
"""A datetime (UTC where it has no zone), a text in RFC 3339, or a day; None: no bound."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = len("2024-08-01")


@dataclass(frozen=True)
class Period:
    """Microseconds since 1970: `since` is in it, `until` is not."""

    since: int = 0
    until: int = MICROS_MAX + 1

    @classmethod
    def of(cls, since: Instant, until: Instant) -> Period:
        """Return the period between two instants. Raises QueryError for what is none."""
        whole = cls()
        period = cls(
            whole.since if since is None else _micros(since, "from"),
            whole.until if until is None else _micros(until, "to"),
        )
        if period.since >= period.until:
            raise QueryError("from must be before to; an arrival at the instant of to is not in it")
        return period


def utc_text(instant: datetime) -> str:
    """Return a datetime (UTC where it has no zone) in RFC 3339."""
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).isoformat()


def _micros(instant: datetime | str, name: str) -> int:
    if isinstance(instant, datetime):
        given = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        micros: int | None = (given - _EPOCH) // timedelta(microseconds=1)
    else:
        day = len(instant) == _DAY
        micros = micros_of(f"{instant}T00:00:00Z" if day else instant)
    if micros is None or not 0 <= micros <= MICROS_MAX:
        raise QueryError(
            f"{name} must be an instant from 1970 on with a zone, as 2024-08-01T00:00:00Z, or a"
            " day, as 2024-08-01"
        )
    return micros
