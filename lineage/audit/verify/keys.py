"""Keys: every id has one key, and every key that is used stands for an id, or for an event.

Keys are 1, 2, 3 … without holes, so a byte for each of them holds all that is to be known of it:
28 MB for 28 million ids, whatever refers to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import numpy as np
import numpy.typing as npt

from lineage.arrays import BoolArray, IntArray, run_starts
from lineage.audit.verify.checked import MEND_EVENTS, Checked, Examination, Problems
from lineage.database.schema.model import Reference
from lineage.database.schema.tables import TABLES
from lineage.database.statements import sql

_ROWS: Final = 100_000
_KNOWN, _USED, _MESSAGE, _HOP, _CONSENT, _PARTY, _INPUT, _OUTPUT = (1 << i for i in range(8))
_TEXTS: Final = {
    Reference.ID: "identifier",
    Reference.DATASET: "dataset_name",
    Reference.MEMBER: "member",
}
# Tables with a row an event, whose ids come once each.
_EVENTS: Final = {"message": _MESSAGE, "hop": _HOP, "consent_change": _CONSENT}
# Columns that hold the key of an event: what event, and what the row tells of it.
_OF_EVENT: Final = (
    ("message_party", "message", _MESSAGE, _PARTY),
    ("hop_input", "hop", _HOP, _INPUT),
    ("hop_output", "hop", _HOP, _OUTPUT),
    ("arrival", "message", _MESSAGE, 0),
    ("arrival", "hop", _HOP, 0),
    ("flag", "message", _MESSAGE, 0),
    ("unmatched_input", "hop", _HOP, 0),
)
_NAMES: Final = {_MESSAGE: "message", _HOP: "hop"}
_PLAIN_KEYS: Final = (("hop_input", "hop"), ("hop_output", "hop"), ("unmatched_input", "record"))
# Ids of one text are looked for among so many rows at a time.
_BUCKET_ROWS: Final = 2_000_000


class _Marks:
    """A byte for each key of a table of texts."""

    def __init__(self, ex: Examination, table: str) -> None:
        self.table = table
        self.count = ex.number(f"SELECT count(*) FROM core.{table}")  # noqa: S608 -- a name of ours
        self._marks: npt.NDArray[np.uint8] = np.zeros(self.count + 1, dtype=np.uint8)

    def within(self, keys: IntArray) -> BoolArray:
        """Say which keys are among 1, 2, 3 … up to the number of rows."""
        return (keys > 0) & (keys <= self.count)

    def has(self, keys: IntArray, bit: int) -> BoolArray:
        """Say which keys have a bit."""
        marked: BoolArray = (self._marks[np.where(self.within(keys), keys, 0)] & bit) != 0
        return marked

    def mark(self, keys: IntArray, bit: int) -> None:
        """Give keys a bit."""
        self._marks[keys[self.within(keys)]] |= bit

    def mark_once(self, keys: IntArray, bit: int) -> IntArray:
        """Give keys a bit; return those that had it already, or come again."""
        keys = keys[self.within(keys)]
        had = keys[self.has(keys, bit)]
        ordered = np.sort(keys)
        again = np.delete(ordered, run_starts(ordered))
        self._marks[keys] |= bit
        return np.concatenate([had, again])

    def with_bits(self, bits: int, without: int) -> IntArray:
        """Return the keys that have all of some bits, and none of others."""
        marks = self._marks[1:]
        return np.flatnonzero(((marks & bits) == bits) & ((marks & without) == 0)) + 1


def check_keys(ex: Examination) -> Iterator[Checked]:
    """Check the ids, and what refers to them: arrivals to hops and messages, inputs to hops."""
    marks = {reference: _Marks(ex, table) for reference, table in _TEXTS.items()}
    problems = Problems()
    for each in marks.values():
        _check_texts(ex, each, problems)
    _check_latest(ex, problems)
    _check_references(ex, marks, problems)
    _check_unused(ex, marks, problems)
    ids = sum(each.count for each in marks.values())
    yield Checked("ids", f"{ids:,} ids, each once, each used", problems.all(), MEND_EVENTS)
    problems = Problems()
    _check_events(ex, marks[Reference.ID], problems)
    told = "every arrival has its hop and its message, every input and output its hop"
    yield Checked("events of rows", told, problems.all(), MEND_EVENTS)


def _keys(ex: Examination, table: str, column: str) -> Iterator[IntArray]:
    query = f"SELECT coalesce(CAST({column} AS BIGINT), -1) FROM core.{table}"  # noqa: S608 -- names of ours
    for batch in ex.connection.execute(query).to_arrow_reader(_ROWS):
        yield batch.column(0).to_numpy(zero_copy_only=False).astype(np.int64)


def _check_texts(ex: Examination, marks: _Marks, problems: Problems) -> None:
    for keys in _keys(ex, marks.table, "id"):
        for key in keys[~marks.within(keys)].tolist():
            problems.add(f"core.{marks.table} has the key {key}, beyond its {marks.count:,} rows")
        for key in marks.mark_once(keys, _KNOWN).tolist():
            problems.add(f"core.{marks.table} has the key {key} twice")
    for key in marks.with_bits(0, _KNOWN).tolist():
        problems.add(f"core.{marks.table} has no row with the key {key}")
    columns = "uuid, text" if marks.table == "identifier" else "text"
    query = sql("audit/verify/keys/twice").format(columns=columns, table=marks.table)
    buckets = 1 + marks.count // _BUCKET_ROWS
    for bucket in range(buckets):
        for key, count in ex.rows(query, {"buckets": buckets, "bucket": bucket}):
            problems.add(f"core.{marks.table} has {count} keys for the id of the key {key}")
    if marks.table == "identifier":
        for row in ex.rows(sql("audit/verify/keys/misspelled_ids")):
            problems.add(f"core.identifier: the key {row[0]} has no id, or one in the wrong column")


def _check_latest(ex: Examination, problems: Problems) -> None:
    ((uuid,),) = ex.rows(sql("audit/verify/keys/latest_uuid"))
    head = 0 if uuid is None else int(str(uuid)[:18].replace("-", ""), 16)
    for (noted,) in ex.rows("FROM core.latest_uuid"):
        if noted != head:
            problems.add(
                f"core.latest_uuid is {noted}, and the latest UUIDv7 begins with {head}: ids would"
                " be taken for new ones"
            )


def _check_references(ex: Examination, marks: dict[Reference, _Marks], problems: Problems) -> None:
    columns = [
        (table.name, column.name, column.reference, column.nullable)
        for table in TABLES
        for column in table.columns
        if column.reference in marks
    ]
    columns += [(table, column, Reference.ID, False) for table, column in _PLAIN_KEYS]
    for table, column, reference, nullable in columns:
        if reference is None:
            continue
        known = marks[reference]
        for keys in _keys(ex, table, column):
            unknown = ~known.has(keys, _KNOWN)
            if nullable or table == "policy":  # 0: the origin, and the built-in policy
                unknown &= keys != 0
            if unknown.any():
                _tell(problems, f"core.{table}.{column}", keys[unknown], f"core.{known.table}")
            known.mark(keys, _USED)


def _tell(problems: Problems, column: str, keys: IntArray, of: str) -> None:
    problems.add(f"{column} has {len(keys):,} keys that are not in {of}, the first {int(keys[0])}")


def _check_unused(ex: Examination, marks: dict[Reference, _Marks], problems: Problems) -> None:
    """Check that ids which no event has are those of versions that lost a conflict."""
    for each in marks.values():
        unused = each.with_bits(_KNOWN, _USED)
        if not len(unused):
            continue
        text = "coalesce(CAST(uuid AS VARCHAR), text)" if each.table == "identifier" else "text"
        query = sql("audit/verify/keys/texts_of").format(text=text, table=each.table)
        texts = {str(row[1]): row[0] for row in ex.rows(query, {"ids": unused.tolist()})}
        for (content,) in ex.rows("SELECT content FROM core.conflict"):
            with suppress(ValueError):  # which the check of conflicts tells
                for lost in _texts_in(json.loads(str(content))):
                    texts.pop(lost, None)
            if not texts:
                break
        for key in sorted(texts.values(), key=str):
            problems.add(f"core.{each.table}: no event has the id with the key {key}")


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_in(item)


def _check_events(ex: Examination, marks: _Marks, problems: Problems) -> None:
    for table, bit in _EVENTS.items():
        for keys in _keys(ex, table, "id"):
            again = marks.mark_once(keys, bit)
            if len(again):
                problems.add(f"core.{table} has {len(again):,} events twice: {again[0]} is a key")
    for table, column, event, tells in _OF_EVENT:
        found = Problems()
        unknown = [np.zeros(0, dtype=np.int64)]
        for keys in _keys(ex, table, column):
            missing = ~marks.has(keys, event)
            if table == "arrival" and column == "hop":
                missing &= keys != 0
            unknown.append(keys[missing])
            found.add_more(int(missing.sum()))
            if tells:
                marks.mark(keys, tells)
        if found.count:
            name = _NAMES[event]
            ids = ex.names(np.concatenate(unknown))
            problems.add(
                f"core.{table}: {found.count:,} rows are of a {name} that is not there: {ids}"
            )
    for event, part, said in (
        (_MESSAGE, _PARTY, "no parties"),
        (_HOP, _INPUT, "no inputs"),
    ):
        lacking = marks.with_bits(event, part)
        if len(lacking):
            problems.add(f"{len(lacking):,} {_NAMES[event]}s have {said}: {ex.names(lacking)}")
    _check_keeps_id(ex, marks, problems)


def _check_keeps_id(ex: Examination, marks: _Marks, problems: Problems) -> None:
    """Check that the hops without outputs are those whose inputs keep their ids."""
    query = "SELECT id, keeps_id FROM core.hop"
    wrong = [np.zeros(0, dtype=np.int64)]
    for batch in ex.connection.execute(query).to_arrow_reader(_ROWS):
        ids = batch.column(0).to_numpy(zero_copy_only=False).astype(np.int64)
        keeps = batch.column(1).to_numpy(zero_copy_only=False).astype(np.bool_)
        wrong.append(ids[keeps == marks.has(ids, _OUTPUT)])
    hops = np.concatenate(wrong)
    if len(hops):
        problems.add(f"{len(hops):,} hops say wrongly whether they have outputs: {ex.names(hops)}")
