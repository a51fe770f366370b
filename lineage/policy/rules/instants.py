"""Parses instants and dates written in rules, and converts them to UTC, as the facts are.

DuckDB's TIMESTAMP ignores an offset: '2024-06-02T02:00:00+02:00' would be two in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from lineage.errors import PolicyError

_DATE: Final = r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
_DATE_ONLY: Final = re.compile(_DATE, re.ASCII)
_INSTANT: Final = re.compile(
    _DATE + r"(?:[Tt \t](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,100}))?)?"
    r"(?: ?([Zz]|[Uu][Tt][Cc]|[+-]\d{2}(?::?\d{2})?))?)?",
    re.ASCII,
)
_ALWAYS_KNOWN: Final = frozenset({"infinity", "-infinity", "epoch"})
_NO_TIMESTAMP: Final = (
    "holds a literal that is no TIMESTAMP: write an instant of the years 0001 to 9999 as"
    " '2024-09-18 00:00:00' (in UTC), '2024-09-18T02:00:00+02:00' or '2024-09-18T00:00:00Z',"
    " with an offset and not with the name of a time zone"
)
_NO_DATE: Final = (
    "holds a literal that is no DATE: write it as '2024-09-18', without a time or an offset"
    " (an instant is a TIMESTAMP)"
)


def timestamp_text(text: str) -> str:
    """Return the text of an instant in UTC, without an offset. Raises PolicyError.

    An instant without an offset is in UTC. Digits of a second beyond the sixth are cut off, as
    they are in events; 24:00:00 is the next day's midnight.
    """
    if text.lower() in _ALWAYS_KNOWN:
        return text.lower()
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise PolicyError(_NO_TIMESTAMP)
    year, _, month, day, hour, minute, second, fraction, zone = match.groups()
    micros = int((fraction or "").ljust(6, "0")[:6])
    clock = (int(hour or 0), int(minute or 0), int(second or 0))
    midnight = clock == (24, 0, 0) and not int(fraction or 0)
    try:
        local = datetime(int(year), int(month), int(day), tzinfo=_zone(zone))
        time = timedelta(days=1) if midnight else _since_midnight(*clock, micros)
        found = (local + time).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PolicyError(_NO_TIMESTAMP) from None
    return found.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def date_text(text: str) -> str:
    """Return the text of a date in ISO 8601. Raises PolicyError."""
    if text.lower() in _ALWAYS_KNOWN:
        return text.lower()
    match = _DATE_ONLY.fullmatch(text)
    if match is None:
        raise PolicyError(_NO_DATE)
    year, _, month, day = match.groups()
    try:
        return datetime(int(year), int(month), int(day), tzinfo=UTC).date().isoformat()
    except ValueError:
        raise PolicyError(_NO_DATE) from None


def _since_midnight(hour: int, minute: int, second: int, micros: int) -> timedelta:
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
