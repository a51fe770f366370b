"""Where each field of many Avro datums lies, found for all of them at once.

A datum is read from its start, since its fields are as long as their values say. Side by side it
goes fast: the walk takes one step in all lanes (a lane is a run of datums, one after another),
then the next step in all of them.

The walk takes for granted what nearly every datum is like: strings below 64 bytes, instants from
1978 to 3111, all ids of one array of one length. It only moves; whoever reads what lies there
must hold each guess against the bytes (`ends_right` and `avro_lanes`), or the rest is nonsense.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.fields import Field

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

PADDING = b"\0" * 16  # behind the last datum, so that what is read in one go is never beyond it
INSTANT_BYTES = 8

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
        self.datums = int(counts.sum())
        self._found: dict[str, list[tuple[Places, Places, int]]] = {}
        self._ends = starts.copy()
        order = np.argsort(-counts, kind="stable")
        first, counts = (np.cumsum(counts) - counts)[order], counts[order]
        places = starts[order]
        for step in range(int(counts.max(initial=0))):
            active = int(np.searchsorted(-counts, -step, side="left"))
            here = places[:active].copy()
            places[:active] = self._fields(fields, "", first[:active] + step, here)
        self._ends[order] = places

    def ends_right(self, ends: Places) -> npt.NDArray[np.bool_]:
        """Which lanes end where they should."""
        return np.equal(self._ends, ends)

    def places(self, path: str) -> tuple[Places, Places]:
        """Datums, and where the field lies in each, in the order of the datums and their items.

        path: the field's name; of a field in a record or an array, that one's name and a dot
        before it. A name and a dot: where the value of a nullable field lies, behind its
        branch, or where an array of records ends.
        """
        found = self._found.get(path, [])
        if len(found) == 1:
            return found[0][:2]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        datums = np.concatenate([some for some, _, _ in found])
        order = self._order(datums, found)
        return datums[order], np.concatenate([places for _, places, _ in found])[order]

    def _order(self, datums: Places, found: list[tuple[Places, Places, int]]) -> Places:
        """As a stable sort by datum, in linear time: what was found of one is in its order."""
        amounts = np.bincount(datums, minlength=self.datums)
        item = np.repeat([item for _, _, item in found], [len(some) for some, _, _ in found])
        order = np.empty(len(datums), np.int64)
        order[(np.cumsum(amounts) - amounts)[datums] + item] = np.arange(len(datums))
        return order

    def take(self, places: Places) -> Bytes:
        """The bytes at places; beyond the end there are zeros."""
        return self.data.take(places, mode="clip")

    def _fields(
        self, fields: Sequence[Field], prefix: str, datums: Places, places: Places, item: int = 0
    ) -> Places:
        """Walks over the fields of some datums; where it then stands."""
        for field in fields:
            path = prefix + field.name
            self._found.setdefault(path, []).append((datums, places, item))
            if field.nullable:
                there = np.flatnonzero(self.take(places))
                places = places + 1
                if len(there):
                    path = f"{path}."
                    self._found.setdefault(path, []).append((datums[there], places[there], item))
                    places[there] = self._over(field, path, datums[there], places[there])
            else:
                places = self._over(field, f"{path}.", datums, places)
        return places

    def _over(self, field: Field, prefix: str, datums: Places, places: Places) -> Places:
        match field.kind:
            case "enum" | "bool":
                return places + 1
            case "instant":
                return places + INSTANT_BYTES
            case "int" | "long":
                return places + 1 + (self.take(places) >> 7)
            case "record":
                return self._fields(field.fields, prefix, datums, places)
            case "records":
                return self._records(field, prefix, datums, places)
            case "ids":
                first, amounts, sizes = self.items(places)
                return first + amounts * sizes + (amounts > 0)
            case _:
                return places + _STEPS.take(self.take(places))

    def items(self, places: Places) -> tuple[Places, Places, Places]:
        """Of the arrays of ids at places: where the first item lies, how many items there are,
        and how many bytes one of them takes, if all are as long as the first.
        """
        low, high = self.take(places).astype(np.int64), self.take(places + 1).astype(np.int64)
        two = low >> 7
        amounts = ((low & 0x7F) | (high * two) << 7) >> 1
        first = places + 1 + two
        return first, amounts, _STEPS.take(self.take(first))

    def _records(self, field: Field, prefix: str, datums: Places, places: Places) -> Places:
        amounts = self.take(places) >> 1
        places = places + 1
        for item in range(int(amounts.max(initial=0))):
            some = np.flatnonzero(amounts > item)
            places[some] = self._fields(field.fields, prefix, datums[some], places[some], item)
        self._found.setdefault(prefix, []).append((datums, places, 0))
        return places + 1
