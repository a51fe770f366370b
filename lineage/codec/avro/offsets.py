"""Where each field of many Avro datums lies, found for all of them at once.

A datum is read from its start, since its fields are as long as their values say. Side by side it
goes fast: the walk takes one step in all lanes (a lane is a run of datums, one after another),
then the next step in all of them.

The walk takes for granted what nearly every datum is like: strings below 64 bytes, instants of our
time (`Field.usual_bytes`), all ids of one array of one length. It only moves; whoever reads what
lies there must hold each guess against the bytes (`ends_right` and `fast`), or the rest is
nonsense.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lineage.codec.contract.fields import Field

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

PADDING = b"\0" * 16  # behind the last datum, so that what is read in one go is never beyond it
_NOWHERE = 1 << 40  # what is no length of a string leads here, and so to no right end
_STEPS = np.array(
    [_NOWHERE if byte & 0x81 else 1 + (byte >> 1) for byte in range(256)], dtype=np.int64
)


class Walk:
    """The places of the fields of datums in some bytes.

    data: the datums, and PADDING behind them. starts: where each lane begins. counts: how many
    datums each lane has. Datums are numbered through all lanes, in their order.
    """

    def __init__(
        self, fields: Sequence[Field], data: Bytes, starts: Places, counts: Places
    ) -> None:
        self.data = data
        self._found: dict[str, tuple[Places, Places]] = {}
        datums, self._ends = self._datums(fields, starts, counts)
        self._find(fields, "", np.arange(len(datums)), datums)

    def ends_right(self, ends: Places) -> npt.NDArray[np.bool_]:
        """Which lanes end where they should."""
        return np.equal(self._ends, ends)

    def places(self, path: str) -> tuple[Places, Places]:
        """Datums, and where the field lies in each, in the order of the datums and their items.

        path: the field's name; of a field in a record or an array, that one's name and a dot
        before it. A name and a dot: where the value of a nullable field lies, behind its
        branch, or where an array of records ends.
        """
        return self._found[path]

    def take(self, places: Places) -> Bytes:
        """The bytes at places; beyond the end there are zeros."""
        return self.data.take(places, mode="clip")

    def items(self, places: Places) -> tuple[Places, Places, Places]:
        """Of the arrays of ids at places: where the first item lies, how many items there are,
        and how many bytes one of them takes, if all are as long as the first.
        """
        low, high = self.take(places).astype(np.int64), self.take(places + 1).astype(np.int64)
        two = low >> 7
        amounts = ((low & 0x7F) | (high * two) << 7) >> 1
        first = places + 1 + two
        return first, amounts, _STEPS.take(self.take(first))

    def _datums(
        self, fields: Sequence[Field], starts: Places, counts: Places
    ) -> tuple[Places, Places]:
        """Where each datum begins, and where each lane ends."""
        before = np.cumsum(counts) - counts
        datums = np.empty(int(counts.sum()), np.int64)
        order = np.argsort(-counts, kind="stable")  # so that lanes that go on come first
        first, counts, places = before[order], counts[order], starts[order]
        for step in range(int(counts.max(initial=0))):
            going = int(np.searchsorted(-counts, -step, side="left"))
            datums[first[:going] + step] = places[:going]
            places[:going] = self._over(fields, places[:going])
        ends = np.empty_like(places)
        ends[order] = places
        return datums, ends

    def _find(self, fields: Sequence[Field], prefix: str, datums: Places, places: Places) -> None:
        """Notes where the fields lie of which the first are at places."""
        for field in fields:
            path = prefix + field.name
            self._found[path] = datums, places
            following = self._over((field,), places)
            if field.nullable:
                there = self.take(places).nonzero()[0]
                datums_there, places = datums[there], places[there] + 1
                self._found[f"{path}."] = datums_there, places
                self._find(field.fields, f"{path}.", datums_there, places)
            elif field.kind == "records":
                items, behind = self._records(field, places)
                self._found[f"{path}."] = datums, behind
                self._find(field.fields, f"{path}.", *_in_order(datums, items))
            places = following

    def _over(self, fields: Sequence[Field], places: Places) -> Places:
        """Where what follows the fields lies, of which the first are at places."""
        ahead = 0
        for field in fields:
            if field.usual_bytes and not field.nullable:
                ahead += field.usual_bytes
                continue
            places = places + ahead
            ahead = 0
            if field.nullable:
                there = self.take(places).nonzero()[0]
                places = places + 1
                if len(there):
                    places[there] = self._over_value(field, places[there])
            else:
                places = self._over_value(field, places)
        return places + ahead

    def _over_value(self, field: Field, places: Places) -> Places:
        match field.kind:
            case "enum" | "bool" | "instant":
                return places + field.usual_bytes
            case "int" | "long":
                return places + 1 + (self.take(places) >> 7)
            case "record":
                return self._over(field.fields, places)
            case "records":
                return self._records(field, places)[1] + 1
            case "ids":
                first, amounts, sizes = self.items(places)
                return first + amounts * sizes + (amounts > 0)
            case _:
                return places + _STEPS.take(self.take(places))

    def _records(self, field: Field, places: Places) -> tuple[list[tuple[Places, Places]], Places]:
        """Of the arrays of records at places: for the first item, the second and so on, which
        arrays have it and where; and where they end, before the zero behind them.
        """
        amounts = self.take(places) >> 1
        places = places + 1
        items: list[tuple[Places, Places]] = []
        for item in range(int(amounts.max(initial=0))):
            some = (amounts > item).nonzero()[0]
            items.append((some, places[some]))
            places[some] = self._over(field.fields, items[-1][1])
        return items, places


def _in_order(datums: Places, items: Sequence[tuple[Places, Places]]) -> tuple[Places, Places]:
    """Datums and places of all items, in the order of the datums and then of their items."""
    if not items:
        return datums[:0], datums[:0]
    amounts = np.bincount(np.concatenate([some for some, _ in items]), minlength=len(datums))
    before = np.cumsum(amounts) - amounts
    places = np.empty(int(amounts.sum()), np.int64)
    for item, (some, where) in enumerate(items):
        places[before[some] + item] = where
    return np.repeat(datums, amounts), places
