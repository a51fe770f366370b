"""Instants in columns: what `contract.instants` does to one, at once to many.

`micros_column` parses a column of texts, `micros_in_column` converts numbers that count another
unit than microseconds.
"""

from __future__ import annotations

import polars as pl

from lineage.codec.contract.fields import Unit
from lineage.codec.contract.instants import (
    MICROS_MAX,
    NOT_AN_INSTANT,
    PATTERN,
    SECONDS_BYTES,
    TOO_FINE,
)

_CANONICAL_BYTES = len("2024-09-18T00:00:00.000000Z")


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
    right = texts.str.contains(PATTERN)
    if not right.all():
        texts = texts.set(~right.fill_null(True), None)
    micros = (
        texts.str.slice(0, SECONDS_BYTES)
        .str.to_uppercase()
        .str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
        .cast(pl.Int64)
    )
    sizes = texts.str.len_bytes()
    if (sizes == _CANONICAL_BYTES).all() and texts.str.ends_with("Z").all():
        micros = micros + texts.str.slice(SECONDS_BYTES + 1, 6).cast(pl.Int64)
    elif (sizes > SECONDS_BYTES + 1).any():
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
