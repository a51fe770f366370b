"""Derives arrivals and flags again from the events, message by message, and compares.

The routes of one message depend on no other message, so whole messages are followed, some at a
time, by the tracker's own fixpoint and rules, which here read no stored arrival and no flag.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import IntArray
from lineage.audit.portions import portions
from lineage.audit.verify.checked import MEND_DERIVED, Checked, Examination, Problems
from lineage.database.relations import execute_on
from lineage.database.statements import sql
from lineage.judge.breaches import breaches_of
from lineage.judge.consents import Consents
from lineage.judge.flags import flags_of
from lineage.judge.rules import Judge
from lineage.judge.timeline import Timeline
from lineage.reach.arrivals import Arrivals, stored_arrivals
from lineage.reach.fixpoint import followed

# The tables whose rows belong to a message.
_OF_MESSAGE: Final = (("message", "id"), ("arrival", "message"), ("flag", "message"))
_ARRIVAL_KEY: Final = ["message", "hop", "dataset", "record"]
_FLAG_KEY: Final = ["rule", "message", "dataset"]
_KINDS: Final = {"left_only": "is not stored", "right_only": "is stored and does not follow"}


class Derivation:
    """Follows messages again, and keeps what differs."""

    def __init__(self, ex: Examination, *, is_whole: bool) -> None:
        """Begin. is_whole: False where events or policies are wrong, so that this may fail."""
        self._ex = ex
        self._is_whole = is_whole
        self._judge: Judge | None = None
        self.arrivals, self.flags = Problems(), Problems()
        self.messages = self.arrivals_count = self.flags_count = 0

    def run(self) -> None:
        """Follow all messages, or those of the sample."""
        for part in self._parts():
            messages = part.messages()
            try:
                self._compare(part, messages)
            except duckdb.Error:
                raise
            except Exception as error:  # whatever wrong events lead to
                if self._is_whole:
                    raise
                name = type(error).__name__
                self.arrivals.add(f"{part} cannot be followed, since events are wrong ({name})")
            self.messages += len(messages)
            self._ex.advance(len(messages))

    def _parts(self) -> Iterator[_Part]:
        sample = self._ex.sample
        if sample is None:
            for part in portions(self._ex.connection, _OF_MESSAGE, self._ex.limits.verified_rows):
                yield _Range(self._ex, part["first"], part["last"])
            return
        query, parameters = sql("audit/verify/sample"), vars(sample)
        keys = np.sort(np.array([row[0] for row in self._ex.rows(query, parameters)], np.int64))
        together = max(1, self._ex.limits.verified_rows // 100)
        for first in range(0, len(keys), together):
            yield _Some(self._ex, keys[first : first + together])

    def _compare(self, part: _Part, messages: pl.DataFrame) -> None:
        derived = followed(self._ex.connection, messages)
        stored = part.arrivals()
        self.arrivals_count += len(stored)
        differences = _differences(derived.frame(), stored.frame(), _ARRIVAL_KEY)
        for kind, row, columns in differences:
            self._tell_arrival(kind, row, columns)
        standing = part.flags()
        if not self._is_whole:
            # A message without parties can't be judged, and is told of elsewhere.
            judged = part.with_parties()
            derived = derived.only(np.isin(derived.message, judged))
            standing = standing.filter(pl.col("message").is_in(judged.tolist()))
        flags = self._flags(derived)
        standing = standing.select(flags.columns).cast(flags.schema)
        self.flags_count += len(standing)
        for kind, row, columns in _differences(flags, standing, _FLAG_KEY):
            self._tell_flag(kind, row, columns)

    def _flags(self, derived: Arrivals) -> pl.DataFrame:
        """Return the flags that all arrivals of some messages come to."""
        if self._judge is None:
            self._judge = _judge(self._ex)
        together = self._ex.limits.judged_arrivals
        found = [
            breaches_of(self._ex.connection, self._judge, derived.slice(first, together))
            for first in range(0, max(1, len(derived)), together)
        ]
        return flags_of(pl.concat(found)).with_columns(pl.col("message", "dataset").cast(pl.Int64))

    def _tell_arrival(self, kind: str, row: dict[str, object], columns: Sequence[str]) -> None:
        if self.arrivals.is_full:
            self.arrivals.add_more(1)
            return
        message, hop, record = (
            self._ex.names(np.array([row[name]], np.int64)) for name in ("message", "hop", "record")
        )
        by = f"by the hop {hop}" if row["hop"] else "at its origin"
        where = f"message {message} in {self._dataset(row)}, record {record}, {by}"
        self.arrivals.add(f"{where}: {_said('the arrival', kind, columns)}")

    def _tell_flag(self, kind: str, row: dict[str, object], columns: Sequence[str]) -> None:
        if self.flags.is_full:
            self.flags.add_more(1)
            return
        message = self._ex.names(np.array([row["message"]], np.int64))
        where = f"message {message} in {self._dataset(row)}, rule {row['rule']}"
        self.flags.add(f"{where}: {_said('the flag', kind, columns)}")

    def _dataset(self, row: dict[str, object]) -> str:
        found = self._ex.rows(
            "SELECT text FROM core.dataset_name WHERE id = $id", {"id": row["dataset"]}
        )
        return str(found[0][0]) if found else f"the dataset with the key {row['dataset']}"


def check_derived(ex: Examination, *, is_whole: bool) -> Iterator[Checked]:
    """Check arrivals and flags of all messages, or of a sample, against the events alone."""
    derivation = Derivation(ex, is_whole=is_whole)
    derivation.run()
    which = (
        f"all {derivation.messages:,} messages"
        if ex.sample is None
        else f"{derivation.messages:,} messages by the seed {ex.sample.seed}"
    )
    told = f"{which}: {derivation.arrivals_count:,} arrivals"
    yield Checked("arrivals", told, derivation.arrivals.all(), MEND_DERIVED)
    told = f"{which}: {derivation.flags_count:,} flags"
    yield Checked("flags", told, derivation.flags.all(), MEND_DERIVED)


def _judge(ex: Examination) -> Judge:
    consents = Consents.stored(ex.connection)
    return Judge(ex.connection, consents, Timeline(ex.connection), ex.limits)


class _Range:
    """The messages whose keys are in a range, and what is stored of them."""

    def __init__(self, ex: Examination, first: int, last: int) -> None:
        self._ex = ex
        self._between = f"BETWEEN {first} AND {last}"

    def __str__(self) -> str:
        return f"messages with keys {self._between.lower()}"

    def with_parties(self) -> IntArray:
        """Return the messages that have parties."""
        query = f"SELECT DISTINCT message FROM core.message_party WHERE message {self._between}"  # noqa: S608 -- numbers of ours
        found: IntArray = self._ex.connection.execute(query).fetchnumpy()["message"]
        return found

    def messages(self) -> pl.DataFrame:
        """Return id, dataset and sent_at."""
        query = "SELECT id, CAST(dataset AS BIGINT) AS dataset, sent_at FROM core.message WHERE id"
        return self._ex.connection.execute(f"{query} {self._between}").pl()

    def arrivals(self) -> Arrivals:
        """Return the stored arrivals."""
        return stored_arrivals(
            self._ex.connection, f"(FROM core.arrival WHERE message {self._between})"
        )

    def flags(self) -> pl.DataFrame:
        """Return the stored flags."""
        rows = f"(FROM core.flag WHERE message {self._between})"
        return self._ex.connection.execute(sql("audit/verify/flags").format(rows=rows)).pl()


class _Some:
    """Some messages by their keys, and what is stored of them."""

    def __init__(self, ex: Examination, keys: IntArray) -> None:
        self._ex = ex
        self._keys = keys

    def __str__(self) -> str:
        return f"{len(self._keys):,} messages, the first with the key {self._keys[0]},"

    def with_parties(self) -> IntArray:
        """Return the messages that have parties."""
        query, rows = "SELECT DISTINCT message FROM {rows}", ("core.message_party", "message")
        found: IntArray = execute_on(
            self._ex.connection, self._keys, query, rows=rows
        ).fetchnumpy()["message"]
        return found

    def messages(self) -> pl.DataFrame:
        """Return id, dataset and sent_at."""
        query = "SELECT id, CAST(dataset AS BIGINT) AS dataset, sent_at FROM {rows}"
        rows = ("core.message", "id")
        return execute_on(self._ex.connection, self._keys, query, rows=rows).pl()

    def arrivals(self) -> Arrivals:
        """Return the stored arrivals."""
        rows = ("core.arrival", "message")
        query = sql("reach/arrivals").replace("{arrival}", "{rows}")
        found = execute_on(self._ex.connection, self._keys, query, rows=rows).fetchnumpy()
        return Arrivals(**found)

    def flags(self) -> pl.DataFrame:
        """Return the stored flags."""
        rows = ("core.flag", "message")
        return execute_on(
            self._ex.connection, self._keys, sql("audit/verify/flags"), rows=rows
        ).pl()


_Part = _Range | _Some


def _differences(
    derived: pl.DataFrame, stored: pl.DataFrame, key: list[str]
) -> Iterator[tuple[str, dict[str, object], list[str]]]:
    """Yield what differs: a kind, the row, and the columns in which it differs.

    The kinds are left_only (not stored), right_only (stored and does not follow), twice, differs.
    """
    columns = derived.columns
    stored = stored.select(columns)
    twice = stored.filter(stored.select(key).is_duplicated())
    for row in twice.unique(key).iter_rows(named=True):
        yield "twice", row, []
    missing = derived.join(stored, on=columns, how="anti", nulls_equal=True)
    extra = stored.join(derived, on=columns, how="anti", nulls_equal=True)
    if missing.is_empty() and extra.is_empty():
        return
    both = missing.join(extra, on=key, how="inner", suffix=" stored")
    for row in both.iter_rows(named=True):
        values = [name for name in columns if name not in key]
        yield "differs", row, [name for name in values if row[name] != row[f"{name} stored"]]
    for kind, rows, others in (("left_only", missing, extra), ("right_only", extra, missing)):
        for row in rows.join(others, on=key, how="anti").iter_rows(named=True):
            yield kind, row, []


def _said(what: str, kind: str, columns: Sequence[str]) -> str:
    if kind == "differs":
        return f"{what} is stored with another {', '.join(columns)}"
    return f"{what} is stored twice" if kind == "twice" else f"{what} {_KINDS[kind]}"
