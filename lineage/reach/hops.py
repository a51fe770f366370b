"""Hops as relations of integers, and their join with the messages that records hold.

The relations are arrays, since a batch joins them with each round's frontier.
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
from lineage.keys.keyed_batch import KeyedBatch

# The bits of a record's key and its dataset's, packed in one integer.
_DATASET_BITS = 22
_RECORD_BITS = 41
# The bits of a message and the slot where a hop put it, packed in one integer, with a last bit: 0
# if the message is identifiable.
_SLOT_BITS = 28
_MESSAGE_BITS = 34


def record_keys(records: IntArray, datasets: IntArray) -> IntArray:
    """Return one integer for each record of a dataset.

    Raises StoreError beyond 2⁴¹ ids or 2²² datasets.
    """
    _check(records, _RECORD_BITS, "ids")
    _check(datasets, _DATASET_BITS, "datasets")
    return (records << _DATASET_BITS) | datasets


def dataset_order(datasets: IntArray, messages: IntArray) -> IntArray:
    """Return the order of rows by their datasets, then by their messages."""
    return np.argsort((datasets << _MESSAGE_BITS) | messages)


def record_of(keys: IntArray) -> IntArray:
    """Return the records of `record_keys`."""
    return keys >> _DATASET_BITS


def dataset_of(keys: IntArray) -> IntArray:
    """Return the datasets of `record_keys`."""
    return keys & ((1 << _DATASET_BITS) - 1)


def _check(values: IntArray, bits: int, what: str) -> None:
    if len(values) and int(values.max()) >> bits:
        raise StoreError(f"a store holds {1 << bits:,} {what} at most, and this one has more")


@dataclass(frozen=True)
class Holdings:
    """Messages that records hold: message, record (`record_keys`), since when, identifiable."""

    message: IntArray
    record: IntArray
    since: IntArray
    identifiable: BoolArray

    def __len__(self) -> int:
        return len(self.message)

    @classmethod
    def concat(cls, *parts: Holdings) -> Holdings:
        """Concatenate holdings."""
        return cls(
            np.concatenate([part.message for part in parts]),
            np.concatenate([part.record for part in parts]),
            np.concatenate([part.since for part in parts]),
            np.concatenate([part.identifiable for part in parts]),
        )


def pack(message: IntArray, slot: IntArray, identifiable: BoolArray) -> IntArray:
    """Pack tuples (message, slot, identifiable) into an integer each.

    In the order of the integers, an identifiable tuple comes before the same one that is not.
    Raises StoreError beyond 2³⁴ ids, or 2²⁷ records that are read or written by a batch's hops.
    """
    _check(message, _MESSAGE_BITS, "ids of messages")
    _check(slot, _SLOT_BITS, "records of one batch")
    return (((message << _SLOT_BITS) | slot) << 1) | ~identifiable


def unpack(packed: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Unpack `pack`ed tuples: message, slot, identifiable."""
    return (
        packed >> (_SLOT_BITS + 1),
        (packed >> 1) & ((1 << _SLOT_BITS) - 1),
        (packed & 1) == 0,
    )


def unpack_by_slot(packed: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Unpack tuples as `unpack` does, in the order of slots: those of one hop are together."""
    message, slot, identifiable = unpack(packed)
    turned = np.sort((((slot << _MESSAGE_BITS) | message) << 1) | ~identifiable)
    message = (turned >> 1) & ((1 << _MESSAGE_BITS) - 1)
    return message, turned >> (_MESSAGE_BITS + 1), (turned & 1) == 0


def distinct_arrivals(packed: IntArray) -> IntArray:
    """Return tuples in order, one for each message and slot: identifiable if any of these is."""
    ordered = np.sort(packed)
    return ordered[run_starts(ordered >> 1)]


@dataclass(frozen=True)
class Hops:
    """Hops, the records that they read, and those that they write.

    By hop: id, target, operation, moved_at, declassifies, keeps_id (the hop names no outputs, and
    every input keeps its id in the target), first_output and outputs (the outputs of a hop are
    together). By input: hop (a row of the above), record, and `record_keys`. By output: hop and
    record.
    A *slot* is where a hop puts a message: 2 x row of an input that keeps its id, 2 x row of an
    output + 1.
    """

    id: IntArray
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
        """Return no hops."""
        truths = {"declassifies", "keeps_id"}
        columns: Columns = {
            name: NO_INTS.astype(np.bool_) if name in truths else NO_INTS
            for name in cls.__dataclass_fields__
        }
        return cls(**columns)

    @classmethod
    def of_batch(cls, batch: KeyedBatch) -> Hops:
        """Return the hops of a batch."""
        hop, read, written = batch["hop"], batch["hop_input"], batch["hop_output"]
        if not len(hop):
            return cls.none()
        row = int_array(hop["row"])
        place = np.zeros(int(row.max()) + 1, dtype=np.int64)
        place[row] = np.arange(len(row))
        input_hop = place[int_array(read["row"])]
        output_hop = place[int_array(written["row"])]
        outputs = np.bincount(output_hop, minlength=len(hop))
        source = int_array(hop["source"])
        record = int_array(read["record"])
        return cls(
            id=int_array(hop["id"]),
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
            output_record=int_array(written["record"]),
        )

    def union(self, other: Hops) -> Hops:
        """Return these hops and others, whose rows are numbered after these already."""
        return Hops(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)])
                for name in self.__dataclass_fields__
            }
        )

    def slot_hop(self, slot: IntArray) -> IntArray:
        """Return the hop (its row) of each slot."""
        return self._of_slot(slot, self.input_hop, self.output_hop)

    def slot_record(self, slot: IntArray) -> IntArray:
        """Return the record in the target that each slot is."""
        return self._of_slot(slot, self.input_record, self.output_record)

    def _of_slot(self, slot: IntArray, of_input: IntArray, of_output: IntArray) -> IntArray:
        row = slot >> 1
        if not len(of_output):
            kept: IntArray = of_input[row]
            return kept
        written = (slot & 1) == 1
        found: IntArray = of_input[np.where(written, 0, row)]
        found[written] = of_output[row[written]]
        return found


class HopJoin:
    """Joins the messages that records hold with the hops that read the records."""

    def __init__(self, hops: Hops, matched: BoolArray | None = None) -> None:
        """Take hops; matched: which inputs, of the first so many, have held a message already."""
        self.hops = hops
        self.matched = np.zeros(len(hops.input_key), dtype=np.bool_)
        if matched is not None:
            self.matched[: len(matched)] = matched
        self._index = Index(hops.input_key)

    def join(self, held: Holdings) -> IntArray:
        """Return the arrivals that follow: `pack`ed, in order, one for each message and slot.

        The join is one application of the rule of `fixpoint`: a hop carries the messages that its
        input held at the hop's instant or before.
        """
        hops = self.hops
        owner, row = self._index.pairs(held.record)
        hop = hops.input_hop[row]
        in_time = held.since[owner] <= hops.moved_at[hop]
        owner, row, hop = owner[in_time], row[in_time], hop[in_time]
        self.matched[row] = True
        message = held.message[owner]
        identifiable = held.identifiable[owner] & ~hops.declassifies[hop]
        keeps = hops.keeps_id[hop]
        if keeps.all():
            return distinct_arrivals(pack(message, 2 * row, identifiable))
        kept = pack(message[keeps], 2 * row[keeps], identifiable[keeps])
        # Outputs are written once a hop, however many of its inputs held the message.
        writes = ~keeps
        by_hop = distinct_arrivals(pack(message[writes], hop[writes], identifiable[writes]))
        message, hop, identifiable = unpack(by_hop)
        owner, output = expand_ranges(hops.first_output[hop], hops.outputs[hop])
        written = pack(message[owner], 2 * output + 1, identifiable[owner])
        return distinct_arrivals(np.concatenate([kept, written]))

    def holdings(self, packed: IntArray) -> Holdings:
        """Return the messages that records hold by these arrivals, in the form of join's input."""
        message, slot, identifiable = unpack(packed)
        hop = self.hops.slot_hop(slot)
        record = record_keys(self.hops.slot_record(slot), self.hops.target[hop])
        return Holdings(message, record, self.hops.moved_at[hop], identifiable)


@dataclass(frozen=True)
class ArrivalSet:
    """A set of arrivals: `pack`ed tuples in order, one for each message and slot."""

    packed: IntArray

    def difference(self, of: IntArray) -> tuple[IntArray, IntArray]:
        """Return the tuples of `of` that are not in this set, and those that improve it.

        of: in the same form as a set. A tuple improves the set if it is identifiable, and the one
        in the set is not.
        """
        at, known = self._lookup(of)
        better = known & ((of & 1) == 0)
        better[better] = (self.packed[at[better]] & 1) == 1
        return of[~known], of[better]

    def union(self, new: IntArray, better: IntArray) -> ArrivalSet:
        """Return this set with the two parts of a `difference`."""
        packed = self.packed
        if len(better):
            packed = packed.copy()
            packed[self._lookup(better)[0]] &= ~1
        # Both parts are in order, and a stable sort merges sorted parts.
        return ArrivalSet(np.sort(np.concatenate([packed, new]), kind="stable"))

    def without(self, other: ArrivalSet) -> IntArray:
        """Return the tuples that are not in another set, identifiable or not."""
        return self.packed[~other._lookup(self.packed)[1]]

    def _lookup(self, wanted: IntArray) -> tuple[IntArray, BoolArray]:
        return lookup_sorted(self.packed >> 1, wanted >> 1)
