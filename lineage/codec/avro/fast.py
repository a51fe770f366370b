"""Fast path: tables of datums of the present schema, by vectorised checks of their columns.

Anything wrong is left to the fallback (`reader`), which says what it is. Only the units of instants
may be others than the present schema's: the bytes are the same. Nothing is taken that the contract
would not.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from lineage.codec.avro.columns import (
    TOGETHER_BYTES,
    Column,
    Columns,
    UndecodableError,
    numbers,
)
from lineage.codec.avro.reader import Reader
from lineage.codec.batch import CHILD_TABLE, COLUMNS, MAIN_TABLE, PROVENANCE
from lineage.codec.bisect import convert
from lineage.codec.contract.events import MESSAGE_SENT, RECORDS_MOVED, ROLES
from lineage.codec.contract.fields import COUNT_MAX, INT_MAX, INT_MIN, Field
from lineage.codec.contract.instants import MICROS_MAX
from lineage.codec.contract.limits import HOP_ARRIVALS_MAX, ID_BYTES_MAX
from lineage.codec.tables import IntArray, Tables, distinct_items

Mask = npt.NDArray[np.bool_]

_SENDER, _RECIPIENT = ROLES.index("SENDER"), ROLES.index("RECIPIENT")


def read_values(reader: Reader, values: Sequence[bytes], header: bytes) -> tuple[Tables, IntArray]:
    """Decode the Kafka values that are events of the present schema.

    Returns their tables, `row` their index, without where they were read; and the indices of the
    others.

    reader: of the present schema. header: what the values are to begin with.
    """
    columns, rows = _columns_of(reader, values, header)
    tables, wrong = _tables_of(reader, columns, rows)
    left = np.ones(len(values), np.bool_)
    left[rows] = False
    left[wrong] = True
    return tables, np.flatnonzero(left)


def _columns_of(reader: Reader, values: Sequence[bytes], header: bytes) -> tuple[Columns, IntArray]:
    """Return the columns of the values that have some, and the indices of those values."""
    with suppress(UndecodableError):
        return reader.layout.of_values(values, header), np.arange(len(values))
    some = [
        i
        for i, value in enumerate(values)
        if value.startswith(header) and len(value) <= TOGETHER_BYTES
    ]
    datums = [values[i][len(header) :] for i in some]
    good, _ = reader.apart(datums)
    return reader.layout.of_datums([datums[i] for i in good]), np.array(some, np.int64)[good]


def read_blocks(
    reader: Reader, blocks: Sequence[tuple[int, bytes]], tried: Mask
) -> tuple[Tables, Mask]:
    """Decode the blocks that are events throughout.

    Returns their tables, `row` numbering the datums of all blocks; and which blocks those are.

    reader: of the present schema. blocks: how many datums each has, and their bytes. tried: which
    of them to read at all.
    """
    good = tried.copy()
    counts = np.array([count for count, _ in blocks], np.int64)
    block = np.repeat(np.arange(len(blocks)), counts)
    while good.any():
        some = [one for one, whole in zip(blocks, good, strict=True) if whole]
        rows = np.flatnonzero(good[block])
        try:
            tables, wrong = _tables_of(reader, reader.layout.of_blocks(some), rows)
        except UndecodableError:
            _, bad = convert(some, reader.layout.of_blocks, (UndecodableError,))
            good[np.flatnonzero(good)[bad]] = False
            continue
        if not len(wrong):
            return tables, good
        good[block[wrong]] = False
    return {}, good


def _tables_of(reader: Reader, columns: Columns, rows: IntArray) -> tuple[Tables, IntArray]:
    """Return the tables of the datums that keep the contract, and the rows of the others.

    rows: a number for each datum.
    """
    wrong = rows[:0]
    while True:
        reading = _Reading(reader, columns, rows)
        tables = reading.tables()
        if not reading.wrong:
            return tables, wrong
        these = np.unique(np.concatenate(reading.wrong))
        wrong = np.append(wrong, rows[these])
        kept = np.delete(np.arange(len(rows)), these)
        rows = rows[kept]
        columns = {name: column.take(kept) for name, column in columns.items()}


class _Reading:
    """Tables of some datums, made of their columns.

    rows: the datums' numbers. wrong: the indices of those that break the contract; where there are
    any, the tables are not to be used.
    """

    def __init__(self, reader: Reader, columns: Columns, rows: IntArray) -> None:
        self._event, self._fields, self._columns = reader.event, reader.present or (), columns
        self._rows = rows.astype(np.uint32)
        self.wrong: list[IntArray] = []

    def tables(self) -> Tables:
        everyone = np.arange(len(self._rows))
        if self._event is RECORDS_MOVED:
            # First of all: arrays of very many nothings would be large tables.
            inputs, outputs = (_sizes(self._columns[name]) for name in ("inputs", "outputs"))
            self._hold(inputs * np.maximum(outputs, 1) <= HOP_ARRIVALS_MAX, everyone)
            if self.wrong:
                return {}
        main = {"row": pl.Series("row", self._rows)}
        tables: Tables = {}
        for field in self._fields:
            column = self._columns[field.name]
            if field.kind == "ids":
                tables[CHILD_TABLE[field.name]] = self._ids(field, column)
            elif field.kind == "records":
                tables[CHILD_TABLE[field.name]] = self._parties(field, column)
            elif field.kind == "record":
                inner = zip(field.fields, column.flatten(), strict=True)
                main |= {f.name: self._column(f, one, everyone) for f, one in inner}
            else:
                main[field.name] = self._column(field, column, everyone)
        name = MAIN_TABLE[self._event.name]
        ordered = [main[column] for column in COLUMNS[name] if column not in PROVENANCE]
        return {name: pl.DataFrame(ordered), **tables}

    def _hold(self, right: Mask, datums: IntArray) -> None:
        if not right.all():
            self.wrong.append(datums[~right])

    def _column(self, field: Field, column: Column, datums: IntArray) -> pl.Series:
        """Return one field as its table has it, and hold its values to the contract.

        datums: the index of the datum that each value is of.
        """
        right: Mask | None = None
        match field.kind:
            case "enum":
                index = numbers(column, np.uint64)
                right = index < len(field.symbols)
                series = _symbols(field.symbols)[pl.Series(np.where(right, index, 0))]
            case "instant":
                micros, right = _micros(field, numbers(column, np.int64))
                series = _with_nulls(column, pl.Series(micros)).cast(pl.Datetime("us"))
            case "int":
                number = numbers(column, np.int64)
                right = (number >= INT_MIN) & (number <= INT_MAX)
                series = pl.Series(column).cast(pl.Int32, strict=False)
            case "long":
                number = numbers(column, np.int64)
                right = (number >= 0) & (number <= COUNT_MAX)
                series = pl.Series(column)
            case "id":
                right = _are_ids(column)
                series = pl.Series(column)
            case "region":
                right = _are_regions(column)
                series = pl.Series(column)
            case _:
                series = pl.Series(column)
        if right is not None:
            if column.null_count:
                right |= column.is_null().to_numpy(zero_copy_only=False)
            self._hold(right, datums)
        return series.alias(field.name)

    def _ids(self, field: Field, column: Column) -> pl.DataFrame:
        amounts, items = _sizes(column), column.flatten()
        everyone = np.arange(len(amounts))
        self._hold(amounts >= field.at_least, everyone)
        right = _are_ids(items)
        if not right.all():  # else it need not be known of which datum each is
            self._hold(right, np.repeat(everyone, amounts))
        rows = pl.Series("row", np.repeat(self._rows, amounts))
        return distinct_items(pl.DataFrame([rows, pl.Series("record_id", items)]))

    def _parties(self, field: Field, column: Column) -> pl.DataFrame:
        amounts = _sizes(column)
        datums = np.repeat(np.arange(len(amounts)), amounts)
        found = dict(zip(field.fields, column.flatten().flatten(), strict=True))
        columns = [self._column(f, one, datums) for f, one in found.items()]
        if self._event is MESSAGE_SENT:
            role = numbers(next(one for f, one in found.items() if f.name == "role"), np.int64)
            senders = np.bincount(datums[role == _SENDER], minlength=len(amounts))
            recipients = np.bincount(datums[role == _RECIPIENT], minlength=len(amounts))
            self._hold((senders == 1) & (recipients > 0), np.arange(len(amounts)))
        ordinal = np.arange(len(datums)) - np.repeat(np.cumsum(amounts) - amounts, amounts)
        rows = pl.Series("row", np.repeat(self._rows, amounts))
        return pl.DataFrame([rows, pl.Series("ordinal", ordinal.astype(np.uint32)), *columns])


def _sizes(column: Column) -> IntArray:
    """Return how many bytes each string has, or how many items each array."""
    starts = numbers(column, np.int32, more=1)
    sizes: IntArray = starts[1:].astype(np.int64) - starts[:-1]
    return sizes


def _are_ids(column: Column) -> Mask:
    starts = numbers(column, np.uint32, more=1)
    # With no bytes it wraps round to the largest number there is.
    right: Mask = starts[1:] - starts[:-1] - np.uint32(1) < ID_BYTES_MAX
    return right


def _micros(field: Field, count: IntArray) -> tuple[IntArray, Mask]:
    """Return microseconds, and which of them are an instant of the contract."""
    if field.unit == "micros":
        return count, (count >= 0) & (count <= MICROS_MAX)
    if field.unit == "millis":
        right = (count >= 0) & (count <= MICROS_MAX // 1000)
        return np.where(right, count, 0) * 1000, right
    micros, finer = np.divmod(count, 1000)
    return micros, (finer == 0) & (micros >= 0) & (micros <= MICROS_MAX)


def _are_regions(column: Column) -> Mask:
    right: Mask = _sizes(column) == 2
    if right.all():  # else the others are looked at again without those that are wrong
        start, end = numbers(column, np.int32, more=1)[[0, -1]]
        letters = np.frombuffer(column.buffers()[2] or b"", np.uint8)[start:end].reshape(-1, 2)
        right = np.logical_and.reduce((letters >= ord("A")) & (letters <= ord("Z")), axis=1)
    return right


def _with_nulls(column: Column, series: pl.Series) -> pl.Series:
    if not column.null_count:
        return series
    return series.set(pl.Series(column.is_null()), None)


@cache
def _symbols(symbols: tuple[str, ...]) -> pl.Series:
    return pl.Series(symbols, dtype=pl.Enum(symbols))
