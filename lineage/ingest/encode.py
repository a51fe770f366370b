"""What can be made of a batch without the store: each text once, enums and owners as numbers.

It is done beside the applying of the batch before, in another thread or process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from lineage.arrays import BoolArray, IntArray, int_array
from lineage.codec import Batch, DeadLetter
from lineage.codec.batch import CHILD_TABLES
from lineage.database.codes import LABELS
from lineage.policy.parse import Policy
from lineage.policy.store import accept
from lineage.uuids import Uuids, no_uuids, texts_of, uuids_of

_ENUMS = {name: pl.Enum(words) for name, words in LABELS.items()}
_CODED = {
    "messages": ("channel",),
    "parties": ("role", "tier", "region"),
    "hops": ("operation",),
    "consent_changes": ("purpose", "basis"),
    "declarations": ("kind", "party"),
}
# What later rows refer to first, since earlier columns get the lower numbers.
_IDS = (
    ("messages", "message_id"),
    ("hop_inputs", "record_id"),
    ("hop_outputs", "record_id"),
    ("hops", "hop_id"),
    ("hops", "run_id"),
    ("consent_changes", "change_id"),
    ("declarations", "declaration_id"),
    ("policies", "policy_id"),
)
_DATASETS = (
    ("messages", "dataset"),
    ("hops", "source"),
    ("hops", "target"),
    ("declarations", "dataset"),
)
_MEMBERS = (("parties", "member_id"), ("consent_changes", "member_id"))
# Where an event was read is in its dead letter, if it is one.
_NOT_KEPT = ("read_from", "partition", "position")
_HANGING = {child: main for main, hanging in CHILD_TABLES.items() for child in hanging}


@dataclass(frozen=True)
class EncodedTexts:
    """Columns of texts. texts: each once, in the order of first appearance.

    codes: for each column the places of its texts among them, in order; -1 for null.
    """

    texts: pa.StringArray
    codes: tuple[IntArray, ...]

    def column(self, place: int, rows: IntArray) -> pl.Series:
        """Some rows of a column, as texts."""
        codes = self.codes[place][rows]
        return pl.Series(self.texts).gather(_or_null(codes, codes >= 0))


@dataclass(frozen=True)
class EncodedIds:
    """Columns of ids. uuids, others: each id once, in the order of first appearance.

    codes: for each column the places of its ids: of `uuids`, and after them of `others`; -1 for
    null.
    """

    uuids: Uuids
    others: pa.StringArray
    codes: tuple[IntArray, ...]

    def column(self, place: int, rows: IntArray) -> pl.Series:
        """Some rows of a column, as texts."""
        codes = self.codes[place][rows]
        known = np.unique(codes[codes >= 0])
        uuids, others = np.split(known, [np.searchsorted(known, len(self.uuids))])
        rest = pl.Series(self.others)[others - len(self.uuids)]
        texts = pl.concat([pl.Series(texts_of(self.uuids[uuids])), rest])
        return texts.gather(_or_null(np.searchsorted(known, codes), codes >= 0))


@dataclass(frozen=True)
class EncodedBatch:
    """A batch, ready for the store.

    tables: those of the batch, without the texts that are encoded, and where they were read; with
    enums as their indices. policies: the parsed documents. owners: for each row of a table that
    hangs on another the place of its event.
    """

    tables: dict[str, pl.DataFrame]
    dead_letters: tuple[DeadLetter, ...]
    policies: dict[str, Policy]
    identifiers: EncodedIds
    datasets: EncodedTexts
    members: EncodedTexts
    owners: dict[str, IntArray]

    @property
    def events(self) -> int:
        """How many good events it holds."""
        return sum(self.tables[table].height for table in CHILD_TABLES)

    def rows(self, table: str, wanted: pl.Series) -> pl.DataFrame:
        """The rows of a table whose `row` is wanted, in words, as the batch had them."""
        frame = self.tables[table]
        at = np.flatnonzero(frame["row"].is_in(wanted.implode()).to_numpy())
        words = {
            name: pl.Series(LABELS[name]).gather(frame[name][at]) for name in _CODED.get(table, ())
        }
        texts = {
            name: encoded.column(place, at)
            for columns, encoded in (
                (_IDS, self.identifiers),
                (_DATASETS, self.datasets),
                (_MEMBERS, self.members),
            )
            for place, (of, name) in enumerate(columns)
            if of == table
        }
        return frame[at].with_columns(**words, **texts)


def encode(batch: Batch) -> EncodedBatch:
    """Make of a batch what can be made without the store; invalid policies are dead letters."""
    batch, policies = accept(batch)
    return EncodedBatch(
        tables={table: _bare(batch, table) for table in (*CHILD_TABLES, *_HANGING)},
        dead_letters=batch.dead_letters,
        policies=policies,
        identifiers=encode_ids([_column(batch, of) for of in _IDS]),
        datasets=encode_texts([_column(batch, of) for of in _DATASETS]),
        members=encode_texts([_column(batch, of) for of in _MEMBERS]),
        owners={
            child: _owners(getattr(batch, child), getattr(batch, main))
            for child, main in _HANGING.items()
        },
    )


def encode_texts(columns: Sequence[pl.Series]) -> EncodedTexts:
    """Each text of some columns once."""
    texts, ends = _joined(columns)
    encoded: Any = texts.dictionary_encode()
    codes: IntArray = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return EncodedTexts(encoded.dictionary, tuple(np.split(codes, ends)))


def encode_ids(columns: Sequence[pl.Series]) -> EncodedIds:
    """Each id of some columns once."""
    texts, ends = _joined(columns)
    codes = np.full(len(texts), -1)
    there = np.arange(len(texts))
    if texts.null_count:
        there = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
        texts = texts.drop_null()
    is_uuid, uuids = uuids_of(texts)
    uuids, codes[there[is_uuid]] = _each_once(uuids)
    others = texts if not is_uuid.any() else texts.filter(pa.array(~is_uuid))
    encoded: Any = others.dictionary_encode()
    codes[there[~is_uuid]] = len(uuids) + encoded.indices.to_numpy()
    return EncodedIds(uuids, encoded.dictionary, tuple(np.split(codes, ends)))


def _each_once(uuids: Uuids) -> tuple[Uuids, IntArray]:
    """UUIDs once each, in the order of first appearance; and the place of each among these."""
    if not len(uuids):
        return no_uuids(), np.zeros(0, dtype=np.int64)
    # The last 64 bits, nearly all of them random, nearly always tell UUIDs apart.
    places, first = _encoded(uuids[:, 1].view(np.int64))
    if not np.array_equal(uuids[first[places], 0], uuids[:, 0]):
        heads, _ = _encoded(uuids[:, 0].view(np.int64))
        places, first = _encoded(heads * len(uuids) + places)
    return uuids[first], places


def _encoded(values: IntArray) -> tuple[IntArray, IntArray]:
    """Of each number its place among the distinct ones; of these, where each appears first."""
    encoded: Any = pa.array(values).dictionary_encode()
    places: IntArray = encoded.indices.to_numpy().astype(np.int64)
    # In the order of first appearance, so a place that is higher than all before is a first.
    first = np.flatnonzero(np.diff(np.maximum.accumulate(places), prepend=-1))
    return places, first


def _or_null(values: IntArray, there: BoolArray) -> pl.Series:
    return pl.Series(values).set(pl.Series(~there), None)


def _joined(columns: Sequence[pl.Series]) -> tuple[pa.StringArray, IntArray]:
    """The texts of some columns one after another, and where all but the first begin."""
    chunks = [column.to_arrow().cast(pa.string()) for column in columns]
    ends = np.cumsum([len(column) for column in columns])[:-1]
    texts: Any = pa.chunked_array(chunks, type=pa.string()).combine_chunks()
    return texts, ends


def _column(batch: Batch, of: tuple[str, str]) -> pl.Series:
    table, name = of
    column: pl.Series = getattr(batch, table)[name]
    return column


def _bare(batch: Batch, table: str) -> pl.DataFrame:
    frame: pl.DataFrame = getattr(batch, table)
    # Declarations and policies are few, and are kept with their ids.
    texts = (
        {name for of, name in (*_IDS, *_DATASETS, *_MEMBERS) if of == table}
        if table not in ("declarations", "policies")
        else set()
    )
    codes = {name: frame[name].cast(_ENUMS[name]).to_physical() for name in _CODED.get(table, ())}
    return frame.drop(_NOT_KEPT, *texts, strict=False).with_columns(**codes)


def _owners(frame: pl.DataFrame, events: pl.DataFrame) -> IntArray:
    row = int_array(events["row"])
    place = np.zeros(int(row.max()) + 1 if len(row) else 0, dtype=np.int64)
    place[row] = np.arange(len(row))
    return place[int_array(frame["row"])]
