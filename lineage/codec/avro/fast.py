"""Fast path: decodes datums of the present schema in bulk; anything unusual falls back to `reader`.

Only the units of their instants may be others: their bytes are the same.

The fallback reads everything and says what is wrong. So this can be as narrow as it likes (see
`offsets`), but takes nothing that the contract would not.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from polars.exceptions import PolarsError

from lineage.codec.avro.offsets import PADDING, Bytes, Places, Walk
from lineage.codec.batch import CHILD_TABLE, COLUMNS, MAIN_TABLE, PROVENANCE
from lineage.codec.contract.events import MESSAGE_SENT, RECORDS_MOVED, ROLES, EventType
from lineage.codec.contract.fields import Field
from lineage.codec.contract.limits import HOP_ARRIVALS_MAX
from lineage.codec.tables import Tables, distinct_items

Mask = npt.NDArray[np.bool_]

_BYTES_MAX = 2**31 - 1  # as far as the offset in a string's view reaches
_INLINE_BYTES = 12
# What of three words a string of so many bytes fills; longer ones are pointed at.
_FILLED = np.array(
    [[(1 << 8 * min(max(size - at, 0), 4)) - 1 for at in (0, 4, 8)] for size in range(13)]
    + [[2**32 - 1] * 3],
    dtype=np.uint32,
)
_SENDER, _RECIPIENT = ROLES.index("SENDER"), ROLES.index("RECIPIENT")


def read_plain(
    event: EventType,
    fields: tuple[Field, ...],
    pieces: Iterable[bytes],
    starts: Places,
    ends: Places,
    counts: Places,
    header: bytes = b"",
) -> tuple[Tables, Mask]:
    """The tables of the events that can be read plainly, without where they were read.

    fields: those of the event, in the units of the writer. pieces: some bytes, in pieces.
    starts, ends: in all of them, where each run of datums lies. counts: how many datums each run
    has. header: what each run must begin with, in front of its datums, at most 8 bytes. `row`
    numbers the datums of all runs. The mask tells of each run whether all of it was read; of
    another, nothing was.
    """
    data = np.frombuffer(b"".join((*pieces, PADDING)), np.uint8)
    plain = np.zeros(len(counts), np.bool_)
    if len(data) > _BYTES_MAX:
        return {}, plain
    walk = Walk(fields, data, starts + len(header), counts)
    plain = walk.ends_right(ends) & _begins(data, starts, header)
    run = np.repeat(np.arange(len(counts)), counts)
    while True:
        reading = _Reading(event, fields, walk, plain[run])
        tables = reading.tables()
        if not reading.wrong:
            return tables, plain
        plain[run[np.concatenate(reading.wrong)]] = False


def _begins(data: Bytes, starts: Places, header: bytes) -> Mask:
    longs = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))[starts]
    mask, wanted = (1 << 8 * len(header)) - 1, int.from_bytes(header, "little")
    return np.asarray((longs & np.uint64(mask)) == np.uint64(wanted))


class _Reading:
    """The tables of some datums of a walk. wrong: datums that are not plainly right."""

    def __init__(self, event: EventType, fields: tuple[Field, ...], walk: Walk, kept: Mask) -> None:
        self._event, self._fields, self._walk, self._kept = event, fields, walk, kept
        self._main = MAIN_TABLE[event.name]
        self._all = bool(kept.all())
        self._rows = np.flatnonzero(kept)
        self._place = np.cumsum(kept) - 1  # of each datum among those that are kept
        data = walk.data
        self._buffer = pa.py_buffer(data.data)
        self._words = np.ndarray(len(data) - 3, "<u4", data, strides=(1,))
        self._longs = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))
        self._amounts: list[Places] = []  # of ids in the arrays of each datum
        self.wrong: list[Places] = []

    def tables(self) -> Tables:
        main = [pl.Series("row", self._rows.astype(np.uint32))]
        tables: Tables = {}
        for field in self._fields:
            if field.kind == "ids":
                tables[CHILD_TABLE[field.name]] = self._ids(field)
            elif field.kind == "records":
                tables[CHILD_TABLE[field.name]] = self._parties(field)
            elif field.nullable:
                main += self._nullable(field)
            else:
                main.append(self._column(field, *self._places(field.name)))
        if self._event is RECORDS_MOVED:
            inputs, outputs = self._amounts
            few = inputs * np.maximum(outputs, 1) <= HOP_ARRIVALS_MAX
            self._hold(few, self._rows)
        found = {one.name: one for one in main}
        ordered = [found[name] for name in COLUMNS[self._main] if name not in PROVENANCE]
        return {self._main: pl.DataFrame(ordered), **tables}

    def _places(self, path: str) -> tuple[Places, Places]:
        datums, places = self._walk.places(path)
        if self._all:
            return datums, places
        mine = self._kept[datums]
        return datums[mine], places[mine]

    def _hold(self, right: Mask, datums: Places) -> None:
        if not right.all():
            self.wrong.append(datums[~right])

    def _column(self, field: Field, datums: Places, places: Places) -> pl.Series:
        """One field, where it lies in each datum."""
        match field.kind:
            case "enum":
                return self._enum(field, datums, places)
            case "bool":
                byte = self._walk.take(places)
                self._hold(byte < 2, datums)
                return pl.Series(field.name, byte == 1)
            case "instant":
                return self._instant(field, datums, places)
            case "int":
                return self._int(field, datums, places)
        size = self._walk.take(places) >> 1  # the walk took no other length
        if field.kind == "id":
            self._hold(size > 0, datums)
        elif field.kind == "region":
            letters = self._words[places] >> 8 & 0xFFFF
            first, second = letters & 0xFF, letters >> 8
            self._hold((size == 2) & _capital(first) & _capital(second), datums)
        return self._strings(field.name, datums, places + 1, size)

    def _strings(self, name: str, datums: Places, starts: Places, sizes: Places) -> pl.Series:
        """Strings that stay where they are: a view tells of each its size and where it lies."""
        views = np.empty((len(starts), 4), np.uint32)
        views[:, 0] = sizes
        views[:, 1] = self._words[starts]
        long = sizes > _INLINE_BYTES
        if long.all():
            views[:, 2], views[:, 3] = 0, starts
        else:
            views[:, 2], views[:, 3] = self._words[starts + 4], self._words[starts + 8]
            views[:, 1:] &= _FILLED.take(sizes, axis=0, mode="clip")
            apart = np.flatnonzero(long)
            views[apart, 2], views[apart, 3] = 0, starts[apart]
        array = pa.Array.from_buffers(
            pa.binary_view(), len(starts), [None, pa.py_buffer(views.data), self._buffer]
        )
        raw = pl.Series(name, array)
        try:
            return raw.cast(pl.String)
        except PolarsError:  # some of it is not UTF-8
            self._hold(np.array([_is_text(one) for one in raw]), datums)
            return pl.Series(name, [""], pl.String).new_from_index(0, len(raw))

    def _enum(self, field: Field, datums: Places, places: Places) -> pl.Series:
        twice = self._walk.take(places)
        right = (twice < 2 * len(field.symbols)) & (twice & 1 == 0)
        self._hold(right, datums)
        index = np.where(right, twice >> 1, 0).astype(np.uint32)
        return _symbols(field.symbols)[pl.Series(index)].alias(field.name)

    def _instant(self, field: Field, datums: Places, places: Places) -> pl.Series:
        size = field.usual_bytes
        inside = min(size, 8)  # of its bytes in the first eight
        long = self._longs[places] & np.uint64((1 << 8 * inside) - 1)
        high = long & np.uint64(0x8080808080808080)
        long &= np.uint64(0x7F7F7F7F7F7F7F7F)
        for width, keep in ((1, 0x7F00_7F00_7F00_7F00), (2, 0x3FFF_0000_3FFF_0000),
                            (4, 0x0FFF_FFFF_0000_0000)):  # fmt: skip
            moved = long & np.uint64(keep)
            long = (long ^ moved) | (moved >> np.uint64(width))
        right = high == np.uint64(0x8080808080808080 & (1 << 8 * min(size - 1, 8)) - 1)
        if size > inside:
            last = self._walk.take(places + inside)
            right &= last < 0x80
            long |= last.astype(np.uint64) << np.uint64(7 * inside)
        right &= long & np.uint64(1) == 0
        count = (long >> np.uint64(1)).astype(np.int64)
        if field.unit == "millis":
            count *= 1000
        elif field.unit == "nanos":
            count, finer = np.divmod(count, 1000)
            right &= finer == 0
        self._hold(right, datums)
        return pl.Series(field.name, count).cast(pl.Datetime("us"))

    def _int(self, field: Field, datums: Places, places: Places) -> pl.Series:
        low, high = self._walk.take(places).astype(np.int32), self._walk.take(places + 1)
        two = low >> 7
        self._hold((two == 0) | (high < 0x80), datums)
        zigzag = (low & 0x7F) | (high * two) << 7
        return pl.Series(field.name, (zigzag >> 1) ^ -(zigzag & 1), pl.Int32)

    def _nullable(self, field: Field) -> list[pl.Series]:
        """The columns of a field that may be null: of a record one for each of its fields."""
        datums, places = self._places(field.name)
        branch = self._walk.take(places)
        self._hold((branch == 0) | (branch == 2), datums)
        there, places = self._places(f"{field.name}.")
        fields = field.fields or (field,)
        if not len(there):
            types = COLUMNS[self._main]
            return [pl.Series(f.name, [None], types[f.name]).new_from_index(0, len(datums))
                    for f in fields]  # fmt: skip
        index = np.zeros(len(datums), np.uint32)
        index[self._place[there]] = np.arange(len(there))
        of_value = pl.Series(pa.array(index, mask=branch == 0))
        columns = [self._column(f, *self._places(f"{field.name}.{f.name}")) for f in field.fields]
        return [one[of_value] for one in columns or [self._column(field, there, places)]]

    def _ids(self, field: Field) -> pl.DataFrame:
        datums, places = self._places(field.name)
        first, amounts, sizes = self._walk.items(places)
        self._amounts.append(amounts)
        low, behind = self._walk.take(places), self._walk.take(first + amounts * sizes)
        two_bytes = (low < 0x80) | (self._walk.take(places + 1) < 0x80)
        right = (low & 1 == 0) & two_bytes & (amounts >= field.at_least)
        self._hold(right & ((amounts == 0) | (behind == 0)), datums)
        if (amounts == 1).all():
            item = first
        else:
            of = np.repeat(np.arange(len(datums)), amounts)
            item = np.arange(len(of)) - (np.cumsum(amounts) - amounts)[of]
            item = first[of] + item * sizes[of]
            datums = datums[of]
            self._hold(self._walk.take(item) == self._walk.take(first)[of], datums)
        size = self._walk.take(item) >> 1
        self._hold(size > 0, datums)
        ids = self._strings("record_id", datums, item + 1, size)
        return distinct_items(pl.DataFrame([pl.Series("row", datums.astype(np.uint32)), ids]))

    def _parties(self, field: Field) -> pl.DataFrame:
        datums, places = self._places(field.name)
        amounts = self._walk.take(places)
        _, behind = self._places(f"{field.name}.")
        self._hold((amounts & 0x81 == 0) & (amounts > 0) & (self._walk.take(behind) == 0), datums)
        items = amounts.astype(np.int64) >> 1
        found = {f.name: self._places(f"{field.name}.{f.name}") for f in field.fields}
        columns = [self._column(f, *found[f.name]) for f in field.fields]
        rows, roles = found["role"]
        role = self._walk.take(roles) >> 1
        there = self._place[rows]
        if self._event is MESSAGE_SENT:
            senders = np.bincount(there[role == _SENDER], minlength=len(datums))
            recipients = np.bincount(there[role == _RECIPIENT], minlength=len(datums))
            self._hold((senders == 1) & (recipients > 0), datums)
        ordinal = np.arange(len(rows)) - (np.cumsum(items) - items)[there]
        row = pl.Series("row", rows.astype(np.uint32))
        return pl.DataFrame([row, pl.Series("ordinal", ordinal.astype(np.uint32)), *columns])


def _capital(letters: npt.NDArray[Any]) -> Mask:
    return (letters >= ord("A")) & (letters <= ord("Z"))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@cache
def _symbols(symbols: tuple[str, ...]) -> pl.Series:
    return pl.Series(symbols, dtype=pl.Enum(symbols))
