"""What hops carry: from who is held in which record, to who arrives where.

In arrays, since a batch asks it again for all that has just arrived, round after round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineage.arrays import (
    NO_INTS,
    BoolArray,
    Columns,
    Index,
    IntArray,
    expand_ranges,
    int_array,
    lookup_sorted,
    run_starts,
)
from lineage.errors import StoreError
from lineage.keys.stage import KeyedBatch

# A record's number and its dataset's in one.
_DATASET_BITS = 22
_RECORD_BITS = 41
# A message and where a hop put it in one, and a last bit: 0 if it is identifiable.
_SLOT_BITS = 28
_MESSAGE_BITS = 34


def record_keys(records: IntArray, datasets: IntArray) -> IntArray:
    """One number for each record of a dataset. Raises StoreError beyond 2⁴¹ ids, 2²² datasets."""
    _check(records, _RECORD_BITS, "ids")
    _check(datasets, _DATASET_BITS, "datasets")
    return (records << _DATASET_BITS) | datasets


def place_keys(datasets: IntArray, messages: IntArray) -> IntArray:
    """One number for each message in a dataset, in the order of datasets, then of messages."""
    return (datasets << _MESSAGE_BITS) | messages


def record_of(keys: IntArray) -> IntArray:
    """The records of `record_keys`."""
    return keys >> _DATASET_BITS


def _check(values: IntArray, bits: int, what: str) -> None:
    if len(values) and int(values.max()) >> bits:
        raise StoreError(f"a store holds {1 << bits:,} {what} at most, and this one has more")


@dataclass(frozen=True)
class Holdings:
    """Messages in records: message, record key, since which instant, identifiable."""

    m: IntArray
    key: IntArray
    at: IntArray
    identifiable: BoolArray

    def only(self, rows: BoolArray | IntArray) -> Holdings:
        """Some of it."""
        return Holdings(self.m[rows], self.key[rows], self.at[rows], self.identifiable[rows])

    @classmethod
    def together(cls, parts: list[Holdings]) -> Holdings:
        """All of it."""
        return cls(
            np.concatenate([part.m for part in parts]),
            np.concatenate([part.key for part in parts]),
            np.concatenate([part.at for part in parts]),
            np.concatenate([part.identifiable for part in parts]),
        )


def packed(m: IntArray, slots: IntArray, identifiable: BoolArray) -> IntArray:
    """Messages in slots, one number each, what is identifiable before what is not.

    Raises StoreError beyond 2³⁴ ids, or 2²⁷ records that are read or written by a batch's hops.
    """
    _check(m, _MESSAGE_BITS, "ids of messages")
    _check(slots, _SLOT_BITS, "records of one batch")
    return (((m << _SLOT_BITS) | slots) << 1) | ~identifiable


def unpacked(pack: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """The messages, slots and whether they are identifiable, of `packed` numbers."""
    return pack >> (_SLOT_BITS + 1), (pack >> 1) & ((1 << _SLOT_BITS) - 1), (pack & 1) == 0


def by_slot(pack: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """The same, in the order of the slots: what one hop carried is together."""
    m, slots, identifiable = unpacked(pack)
    turned = np.sort((((slots << _MESSAGE_BITS) | m) << 1) | ~identifiable)
    m = (turned >> 1) & ((1 << _MESSAGE_BITS) - 1)
    return m, turned >> (_MESSAGE_BITS + 1), (turned & 1) == 0


def best(pack: IntArray) -> IntArray:
    """`packed` numbers in order, of each message in a slot the best: identifiable if any is."""
    ordered = np.sort(pack)
    return ordered[run_starts(ordered >> 1)]


@dataclass(frozen=True)
class Hops:
    """Hops, the records that they read, and those that they write.

    By hop: number, target, operation, moved_at, declassifies, keeps_id (it names no outputs, and
    every input keeps its id in the target), first_output and outputs (its outputs are together).
    By input: its hop (a row of the above), the record, and its key. By output: hop and record.
    A *slot* is where a hop puts a message: 2 x row of an input that keeps its id, 2 x row of an
    output + 1.
    """

    number: IntArray
    target: IntArray
    operation: IntArray
    moved_at: IntArray
    declassifies: BoolArray
    keeps_id: BoolArray
    first_output: IntArray
    outputs: IntArray
    input_hop: IntArray
    input_record: IntArray
    input_key: IntArray
    output_hop: IntArray
    output_record: IntArray

    @classmethod
    def none(cls) -> Hops:
        """No hops."""
        truths = {"declassifies", "keeps_id"}
        columns: Columns = {
            name: NO_INTS.astype(np.bool_) if name in truths else NO_INTS
            for name in cls.__dataclass_fields__
        }
        return cls(**columns)

    @classmethod
    def of(cls, fresh: KeyedBatch) -> Hops:
        """The hops of a batch."""
        hop, read, written = fresh.hop, fresh.hop_input, fresh.hop_output
        if not len(hop):
            return cls.none()
        row = int_array(hop["row"])
        place = np.zeros(int(row.max()) + 1, dtype=np.int64)
        place[row] = np.arange(len(row))
        input_hop = place[int_array(read["row"])]
        output_hop = place[int_array(written["row"])]
        outputs = np.bincount(output_hop, minlength=len(hop))
        source = int_array(hop["source"])
        record = int_array(read["rec"])
        return cls(
            number=int_array(hop["n"]),
            target=int_array(hop["target"]),
            operation=int_array(hop["operation"]),
            moved_at=int_array(hop["moved_at"]),
            declassifies=hop["declassifies"].to_numpy(),
            keeps_id=outputs == 0,
            first_output=np.cumsum(outputs) - outputs,
            outputs=outputs,
            input_hop=input_hop,
            input_record=record,
            input_key=record_keys(record, source[input_hop]),
            output_hop=output_hop,
            output_record=int_array(written["rec"]),
        )

    def slot_hop(self, slots: IntArray) -> IntArray:
        """The hop (its row) of each slot."""
        return self._of_slot(slots, self.input_hop, self.output_hop)

    def slot_record(self, slots: IntArray) -> IntArray:
        """The record in the target that each slot is."""
        return self._of_slot(slots, self.input_record, self.output_record)

    def _of_slot(self, slots: IntArray, of_input: IntArray, of_output: IntArray) -> IntArray:
        row = slots >> 1
        if not len(of_output):
            kept: IntArray = of_input[row]
            return kept
        written = (slots & 1) == 1
        found: IntArray = of_input[np.where(written, 0, row)]
        found[written] = of_output[row[written]]
        return found


class Carrier:
    """Answers where hops carry what records hold."""

    def __init__(self, hops: Hops) -> None:
        self.hops = hops
        self._index = Index(hops.input_key)

    def carried(self, held: Holdings) -> IntArray:
        """Carry what is held through the hops: messages in slots, `packed`, in order, once each."""
        hops = self.hops
        owner, row = self._index.pairs(held.key)
        hop = hops.input_hop[row]
        in_time = held.at[owner] <= hops.moved_at[hop]
        owner, row, hop = owner[in_time], row[in_time], hop[in_time]
        m = held.m[owner]
        identifiable = held.identifiable[owner] & ~hops.declassifies[hop]
        keeps = hops.keeps_id[hop]
        if keeps.all():
            return best(packed(m, 2 * row, identifiable))
        kept = packed(m[keeps], 2 * row[keeps], identifiable[keeps])
        writes = ~keeps
        # Once a hop, however many of its inputs held the message.
        m, hop, identifiable = unpacked(best(packed(m[writes], hop[writes], identifiable[writes])))
        owner, output = expand_ranges(hops.first_output[hop], hops.outputs[hop])
        written = packed(m[owner], 2 * output + 1, identifiable[owner])
        return best(np.concatenate([kept, written]))

    def held(self, pack: IntArray) -> Holdings:
        """The same for those who have arrived: who is held where since when."""
        m, slots, identifiable = unpacked(pack)
        hop = self.hops.slot_hop(slots)
        key = record_keys(self.hops.slot_record(slots), self.hops.target[hop])
        return Holdings(m, key, self.hops.moved_at[hop], identifiable)


@dataclass(frozen=True)
class Known:
    """Messages known to have arrived in slots: `packed`, in order, once each."""

    pack: IntArray

    def news(self, carried: IntArray) -> tuple[IntArray, IntArray]:
        """Of those carried (the same form) who is new, and who is known, but identifiable now."""
        at, known = self.places(carried)
        better = known & ((carried & 1) == 0)
        better[better] = (self.pack[at[better]] & 1) == 1
        return carried[~known], carried[better]

    def places(self, carried: IntArray) -> tuple[IntArray, BoolArray]:
        """Where those are, and which of them are known."""
        return lookup_sorted(self.pack >> 1, carried >> 1)

    def plus(self, new: IntArray, better: IntArray) -> Known:
        """What is known after these news."""
        pack = self.pack
        if len(better):
            pack = pack.copy()
            pack[self.places(better)[0]] &= ~1
        # Both are in order, and a stable sort is a merge of what is.
        return Known(np.sort(np.concatenate([pack, new]), kind="stable"))
