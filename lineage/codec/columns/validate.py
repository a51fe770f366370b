"""Validates columns against the contract: which events break it, and why.

Columns come from JSON and from Avro alike, one row an event, in this form: ids, texts and enums
String; instants Int64 microseconds (-1: no instant, TOO_FINE: between two of them); numbers Float64
or Int64; `inputs` and `outputs` List(String); `parties` List(Struct); `declassification` Struct.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern

import polars as pl

from lineage.codec.contract import fields
from lineage.codec.contract.events import EventType
from lineage.codec.contract.fields import Field
from lineage.codec.contract.instants import MICROS_MAX, TOO_FINE, too_fine
from lineage.codec.contract.limits import ID_BYTES_MAX

Check = tuple[pl.Expr, str]  # true where it is right; the reason where it is not


def event_checks(event: EventType) -> Iterator[Check]:
    """Yield the checks of a row of the event's own columns; of arrays only their length."""
    for field in event.fields:
        yield from _checks(field, pl.col(field.name), field.name)


def item_checks(field: Field) -> Iterator[Check]:
    """Yield the checks of an item of an array: columns of the record's fields, or `record_id`."""
    if field.kind == "ids":
        yield _id(pl.col("record_id")), f"{field.name} must be {field.right}"
    for inner in field.fields:
        yield from _checks(inner, pl.col(inner.name), f"{field.name}: {inner.name}")


def failing(rows: pl.DataFrame, checks: Iterable[Check]) -> dict[int, str]:
    """Return the `row` of each event that breaks a check, and the reason of the first of these."""
    wrong = [(~right.fill_null(value=False), reason) for right, reason in checks]
    if not rows.height or not wrong:
        return {}
    broken = rows.select(pl.any_horizontal(bad for bad, _ in wrong)).to_series()
    if not broken.any():
        return {}
    reason = pl.coalesce(pl.when(bad).then(pl.lit(reason)) for bad, reason in wrong)
    found = rows.filter(broken).select("row", reason.alias("reason")).unique("row", keep="first")
    # Each reason once: millions of rows can have the same.
    return {row: intern(reason) for row, reason in found.iter_rows()}


def _checks(field: Field, column: pl.Expr, path: str) -> Iterator[Check]:
    if field.kind == "record":
        # Where the record is null, so are its fields: only those of a record are checked.
        for inner in field.fields:
            for right, reason in _checks(
                inner, column.struct.field(inner.name), f"{path}.{inner.name}"
            ):
                yield column.is_null() | right, reason
        right = pl.lit(value=True) if field.nullable else column.is_not_null()
    else:
        if field.kind == "instant":
            yield column.ne_missing(TOO_FINE), too_fine(path)
        right = _right(field, column)
        if field.nullable:
            right = column.is_null() | right
    yield right, f"{path} must be {field.right}"


def _right(field: Field, column: pl.Expr) -> pl.Expr:
    match field.kind:
        case "id":
            return _id(column)
        case "region":
            return column.str.contains(fields.REGION_PATTERN)
        case "enum":
            return column.is_in(field.symbols)
        case "instant":
            return column.is_between(0, MICROS_MAX)
        case "int":
            return column.is_between(fields.INT_MIN, fields.INT_MAX) & (column == column.round())
        case "long":
            return column.is_between(0, fields.COUNT_MAX) & (column == column.round())
        case "ids" | "records":
            return column.list.len() >= field.at_least
        case _:
            return column.is_not_null()


def _id(column: pl.Expr) -> pl.Expr:
    return column.str.len_bytes().is_between(1, ID_BYTES_MAX)
