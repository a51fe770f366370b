"""Encodes a batch as far as that needs no store: each text once, enums and owners as integers.

Encoding runs in another thread or process, while the batch before is applied.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from lineage.arrays import NO_INTS, BoolArray, IntArray, int_array
from lineage.codec import Batch, DeadLetter
from lineage.codec.batch import CHILD_TABLES
from lineage.database.schema.codes import LABELS
from lineage.database.schema.model import Reference, Table
from lineage.database.schema.tables import EVENT_TABLES, table
from lineage.policy.documents import accept
from lineage.policy.parse import Policy
from lineage.uuids import Uuids, no_uuids, texts_of, uuids_of

_ENUMS = {name: pl.Enum(labels) for name, labels in LABELS.items()}
Origin = tuple[str, int]  # a source and a partition of it
_OWNERS = {child: main for main, children in CHILD_TABLES.items() for child in children}


@dataclass(frozen=True)
class KeyColumn:
    """A column of core.`table` whose integer stands for the text in a batch's `field`."""

    table: Table
    name: str
    field: str


def _key_columns(reference: Reference) -> tuple[KeyColumn, ...]:
    return tuple(
        KeyColumn(table, column.name, column.field)
        for table in EVENT_TABLES
        for column in table.kept
        if column.reference is reference
    )


# In the order in which texts get their keys.
KEY_COLUMNS: Final = {
    reference: _key_columns(reference)
    for reference in (Reference.ID, Reference.DATASET, Reference.MEMBER)
}


@dataclass(frozen=True)
class EncodedTexts:
    """Dictionary-encoded columns of texts. texts: each once, in the order of first appearance.

    codes: for each column the place of each of its texts in `texts`; -1 for null.
    """

    texts: pa.StringArray
    codes: tuple[IntArray, ...]

    def column(self, place: int, rows: IntArray) -> pl.Series:
        """Return some rows of a column, as texts."""
        codes = self.codes[place][rows]
        return pl.Series(self.texts).gather(_or_null(codes, codes >= 0))


@dataclass(frozen=True)
class EncodedIds:
    """Dictionary-encoded columns of ids. uuids, others: each once, in order of first appearance.

    codes: for each column the place of each of its ids: in `uuids`, and counted on, in `others`; -1
    for null.
    """

    uuids: Uuids
    others: pa.StringArray
    codes: tuple[IntArray, ...]

    def column(self, place: int, rows: IntArray) -> pl.Series:
        """Return some rows of a column, as texts."""
        codes = self.codes[place][rows]
        known = np.unique(codes[codes >= 0])
        uuids, others = np.split(known, [np.searchsorted(known, len(self.uuids))])
        rest = pl.Series(self.others)[others - len(self.uuids)]
        texts = pl.concat([pl.Series(texts_of(self.uuids[uuids])), rest])
        return texts.gather(_or_null(np.searchsorted(known, codes), codes >= 0))


@dataclass(frozen=True)
class EncodedBatch:
    """A batch, ready for the store.

    Attributes:
        tables: By the names of the store's tables their columns and `row`, without key columns;
            enums are codes. Tables of events have also `position`.
        origins: The source and partition of what events were read from, each once.
        read_from: For each row of a table of events the place of its origin in `origins`.
        dead_letters: The dead letters of the batch, and invalid policies.
        policies: The parsed documents.
        ids, datasets, members: The texts that the columns of KEY_COLUMNS stand for.
        owners: For each row of a child table the place of its event.
    """

    tables: dict[str, pl.DataFrame]
    dead_letters: tuple[DeadLetter, ...]
    policies: dict[str, Policy]
    ids: EncodedIds
    datasets: EncodedTexts
    members: EncodedTexts
    owners: dict[str, IntArray]
    origins: tuple[Origin, ...]
    read_from: dict[str, IntArray]

    @property
    def events(self) -> int:
        """Return the number of good events in the batch."""
        return sum(len(self.tables[table.name]) for table in EVENT_TABLES if not table.owner)

    def encoded(self, reference: Reference) -> EncodedIds | EncodedTexts:
        """Return the texts of the columns KEY_COLUMNS[reference]."""
        if reference is Reference.ID:
            return self.ids
        return self.datasets if reference is Reference.DATASET else self.members

    def rows(
        self, name: str, wanted: pl.Series, fields: Collection[str] | None = None
    ) -> pl.DataFrame:
        """Return the rows of a table whose `row` is wanted, in texts, as the batch had them.

        fields: which, beside `row`, if not all.
        """
        frame = self.tables[name]
        at = np.flatnonzero(frame["row"].is_in(wanted.implode()).to_numpy())
        texts = {
            of.field: self.encoded(reference).column(place, at)
            for reference, columns in KEY_COLUMNS.items()
            for place, of in enumerate(columns)
            if of.table.name == name and (fields is None or of.field in fields)
        }
        values = {
            column.field: pl.Series(LABELS[column.label]).gather(frame[column.name][at])
            if column.label
            else frame[column.name][at]
            for column in table(name).kept
            if not column.reference and (fields is None or column.field in fields)
        }
        return frame.select("row")[at].with_columns(**{**texts, **values})


def encode(batch: Batch) -> EncodedBatch:
    """Encode a batch as far as that needs no store; invalid policies become dead letters."""
    batch, policies = accept(batch)
    texts = {
        reference: [_column(batch, of.table.batch, of.field) for of in columns]
        for reference, columns in KEY_COLUMNS.items()
    }
    places: dict[Origin, int] = {}
    read_from = {
        each.name: _origins(getattr(batch, each.batch), places)
        for each in EVENT_TABLES
        if not each.owner
    }
    return EncodedBatch(
        tables={each.name: _values(batch, each) for each in EVENT_TABLES},
        origins=tuple(places),
        read_from=read_from,
        dead_letters=batch.dead_letters,
        policies=policies,
        ids=encode_ids(texts[Reference.ID]),
        datasets=encode_texts(texts[Reference.DATASET]),
        members=encode_texts(texts[Reference.MEMBER]),
        owners={
            each.name: _owners(getattr(batch, each.batch), getattr(batch, _OWNERS[each.batch]))
            for each in EVENT_TABLES
            if each.owner
        },
    )


def encode_texts(columns: Sequence[pl.Series]) -> EncodedTexts:
    """Dictionary-encode columns of texts."""
    texts, ends = _joined(columns)
    encoded: Any = texts.dictionary_encode()
    codes: IntArray = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return EncodedTexts(encoded.dictionary, tuple(np.split(codes, ends)))


def encode_ids(columns: Sequence[pl.Series]) -> EncodedIds:
    """Dictionary-encode columns of ids, canonical UUIDs as 16 bytes."""
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
    """Return UUIDs once each, in the order of first appearance; and the place of each in these."""
    if not len(uuids):
        return no_uuids(), np.zeros(0, dtype=np.int64)
    # The last 64 bits, nearly all of them random, nearly always tell UUIDs apart.
    places, first = _encoded(uuids[:, 1].view(np.int64))
    if not np.array_equal(uuids[first[places], 0], uuids[:, 0]):
        heads, _ = _encoded(uuids[:, 0].view(np.int64))
        places, first = _encoded(heads * len(uuids) + places)
    return uuids[first], places


def _encoded(values: IntArray) -> tuple[IntArray, IntArray]:
    """Return the place of each number among the distinct ones, and where each of these is first."""
    encoded: Any = pa.array(values).dictionary_encode()
    places: IntArray = encoded.indices.to_numpy().astype(np.int64)
    # Places are in the order of first appearance: one that is higher than all before is a first.
    first = np.flatnonzero(np.diff(np.maximum.accumulate(places), prepend=-1))
    return places, first


def _or_null(values: IntArray, there: BoolArray) -> pl.Series:
    return pl.Series(values).set(pl.Series(~there), None)


def _joined(columns: Sequence[pl.Series]) -> tuple[pa.StringArray, IntArray]:
    """Join the texts of columns one after another; return also where all but the first begin."""
    chunks = [column.to_arrow().cast(pa.string()) for column in columns]
    ends = np.cumsum([len(column) for column in columns])[:-1]
    texts: Any = pa.chunked_array(chunks, type=pa.string()).combine_chunks()
    return texts, ends


def _column(batch: Batch, name: str, field: str) -> pl.Series:
    column: pl.Series = getattr(batch, name)[field]
    return column


def _values(batch: Batch, of: Table) -> pl.DataFrame:
    """Return `row` and the columns of a table that are no keys, with codes for enums."""
    frame: pl.DataFrame = getattr(batch, of.batch)
    columns = [frame["row"]]
    for column in of.kept:
        if column.reference is None:
            values = frame[column.field]
            if column.label:
                values = values.cast(_ENUMS[column.label]).to_physical()
            columns.append(values.alias(column.name))
    if not of.owner:
        columns.append(frame["position"])
    return pl.DataFrame(columns)


def _origins(frame: pl.DataFrame, known: dict[Origin, int]) -> IntArray:
    """Return the place in `known` of what each event was read from, adding what is new."""
    if frame.is_empty():
        return NO_INTS
    # Events are in runs that were read from one place.
    read_from = frame["read_from"].rle_id().to_numpy()
    partition = frame["partition"].to_numpy()
    first = np.flatnonzero(
        np.append(True, (read_from[1:] != read_from[:-1]) | (partition[1:] != partition[:-1]))
    )
    places = [
        known.setdefault(origin, len(known))
        for origin in frame["read_from", "partition"][first].iter_rows()
    ]
    return np.repeat(places, np.diff(np.append(first, len(frame))))


def _owners(frame: pl.DataFrame, events: pl.DataFrame) -> IntArray:
    row = int_array(events["row"])
    place = np.zeros(int(row.max()) + 1 if len(row) else 0, dtype=np.int64)
    place[row] = np.arange(len(row))
    return place[int_array(frame["row"])]
