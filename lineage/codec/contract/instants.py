"""Instants: RFC 3339 text with a zone, and microseconds since 1970 UTC.

`micros_of` parses one text, `micros_column` a column of texts; both accept exactly the same ones.
`micros_in` and `micros_in_column` convert numbers that count another unit than microseconds.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import polars as pl

from lineage.codec.contract.fields import Unit

MICROS_MAX = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z
NOT_AN_INSTANT = -1
TOO_FINE = -(2**63)  # no whole number of microseconds

_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_ONE = re.compile(_PATTERN[:-1])
_SECONDS_BYTES = len("2024-09-18T00:00:00")
_CANONICAL_BYTES = len("2024-09-18T00:00:00.000000Z")
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
        seconds = datetime.fromisoformat(text[:_SECONDS_BYTES].upper())
    except ValueError:
        return None
    rest = text[_SECONDS_BYTES:]
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


def micros_in_column(counts: pl.Series, unit: Unit) -> pl.Series:
    """Convert a column of Int64 as `micros_in` does; null stays null."""
    if unit == "micros":
        return counts
    column = pl.col(counts.name)
    if unit == "millis":
        right = column.is_between(0, MICROS_MAX // 1000)
        micros = pl.when(right).then(column * 1000).otherwise(NOT_AN_INSTANT)
    else:
        whole = pl.when(column % 1000 == 0).then(column // 1000).otherwise(TOO_FINE)
        micros = pl.when(column >= 0).then(whole).otherwise(NOT_AN_INSTANT)
    found = pl.when(column.is_not_null()).then(micros).alias(counts.name)
    return counts.to_frame().select(found).to_series()


def micros_column(texts: pl.Series) -> pl.Series:
    """Parse a column of strings as `micros_of` does: Int64; null stays null, no instant is -1."""
    right = texts.str.contains(_PATTERN)
    if not right.all():
        texts = texts.set(~right.fill_null(True), None)
    micros = (
        texts.str.slice(0, _SECONDS_BYTES)
        .str.to_uppercase()
        .str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
        .cast(pl.Int64)
    )
    sizes = texts.str.len_bytes()
    if (sizes == _CANONICAL_BYTES).all() and texts.str.ends_with("Z").all():
        micros = micros + texts.str.slice(_SECONDS_BYTES + 1, 6).cast(pl.Int64)
    elif (sizes > _SECONDS_BYTES + 1).any():
        micros = micros + _fraction(texts) - _zone(texts)
    outside = micros.is_null() | ~micros.is_between(0, MICROS_MAX)
    return micros.set(outside & right.is_not_null(), NOT_AN_INSTANT)


def _fraction(texts: pl.Series) -> pl.Series:
    digits = texts.str.extract(r"\.([0-9]{1,6})", 1).fill_null("0")
    return digits.str.pad_end(6, "0").cast(pl.Int64)


def _zone(texts: pl.Series) -> pl.Series | int:
    zones = texts.str.extract(r"([+-][0-9]{2}:[0-9]{2})$", 1)
    if zones.is_null().all():
        return 0
    zones = zones.fill_null("+00:00")
    minutes = zones.str.slice(1, 2).cast(pl.Int64) * 60 + zones.str.slice(4, 2).cast(pl.Int64)
    return minutes.zip_with(zones.str.starts_with("+"), -minutes) * 60_000_000
