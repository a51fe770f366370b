"""Instants: RFC 3339 text with a zone, and microseconds since 1970 UTC.

`micros_of` parses a text, `micros_in` converts a number that counts another unit than microseconds;
`codec.columns.instants` does the same to columns, and accepts exactly the same ones.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from .fields import Unit

MICROS_MAX = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z
NOT_AN_INSTANT = -1
TOO_FINE = -(2**63)  # no whole number of microseconds

PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_ONE = re.compile(PATTERN[:-1])
SECONDS_BYTES = len("2024-09-18T00:00:00")
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


def micros_of(text: str) -> int | None:
    """Parse a text to microseconds since 1970 UTC.

    Returns None where the text is no instant from 1970 to 9999 with a zone.

    Digits beyond the sixth of a fraction are cut off. A leap second (:60) is no instant here.
    """
    if not _ONE.fullmatch(text):
        return None
    try:
        seconds = datetime.fromisoformat(text[:SECONDS_BYTES].upper())
    except ValueError:
        return None
    rest = text[SECONDS_BYTES:]
    zone = 1 if rest[-1] in "Zz" else 6
    fraction = rest[1:-zone][:6].ljust(6, "0")
    micros = (seconds - _EPOCH) // _MICROSECOND + int(fraction)
    if zone > 1:
        minutes = int(rest[-5:-3]) * 60 + int(rest[-2:])
        micros -= (minutes if rest[-6] == "+" else -minutes) * 60_000_000
    return micros if 0 <= micros <= MICROS_MAX else None


def text_of(micros: int) -> str:
    """Return the canonical spelling of an instant: six fractional digits and Z."""
    return (_EPOCH + micros * _MICROSECOND).isoformat(timespec="microseconds") + "Z"


def too_fine(name: str) -> str:
    """Return the reason against an instant that is TOO_FINE."""
    return (
        f"{name} must be a whole number of microseconds, and its nanoseconds are not; cut them to "
        "microseconds where they are written"
    )


def micros_in(count: int, unit: Unit) -> int:
    """Convert an instant that an Avro writer counts in a unit to microseconds.

    Returns NOT_AN_INSTANT for one before 1970 or after 9999, TOO_FINE for one between two
    microseconds; microseconds stay as they are.
    """
    if unit == "micros":
        return count
    if unit == "millis":
        return count * 1000 if 0 <= count <= MICROS_MAX // 1000 else NOT_AN_INSTANT
    if count < 0:
        return NOT_AN_INSTANT
    return count // 1000 if count % 1000 == 0 else TOO_FINE
