"""Answers SELECTs that can change nothing and reach nothing outside the database, within limits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from lineage.audit.select_check.check import Parameters
from lineage.database.process import resident_bytes
from lineage.errors import QueryError, QueryStuckError, is_damage, sentence

_T = TypeVar("_T")

_LOOK_SECONDS: Final = 0.05
_GRACE_SECONDS: Final = 5.0
_BATCH_ROWS: Final = 8_192
_MIB: Final = 2**20


@dataclass(frozen=True)
class QueryLimits:
    """Limits of one query; None: no limit.

    seconds: of execution. answer_mib: MiB of an answer that is returned as a whole. memory_mib: MiB
    by which the process may grow meanwhile; DuckDB's own limit does not count all the memory of its
    functions.
    """

    seconds: float | None = None
    answer_mib: int | None = None
    memory_mib: int | None = None


UNLIMITED: Final = QueryLimits()


def query(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    params: Parameters = None,
    limits: QueryLimits = UNLIMITED,
) -> duckdb.DuckDBPyRelation:
    """Answer one SELECT, with `params` bound. Raises QueryError for one that cannot be answered."""
    batches, size = [], 0
    with Question(connection, text, params, limits) as question:
        for batch in question.batches():
            size += batch.nbytes
            if limits.answer_mib is not None and size > limits.answer_mib * _MIB:
                raise QueryError(
                    f"the answer is larger than {limits.answer_mib:,} MiB; ask for fewer rows or"
                    " columns, or with `lineage sql`, which writes them as they come"
                )
            batches.append(batch)
        schema = question.schema
    return connection.from_arrow(pa.Table.from_batches(batches, schema=schema))


class Question:
    """A query that is answered batch by batch. A context manager.

    The query runs in a thread of its own, so that the caller's thread can interrupt it: at a limit,
    or with Ctrl-C, to which Python could not react in the middle of DuckDB.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        text: str,
        params: Parameters = None,
        limits: QueryLimits = UNLIMITED,
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._seconds = limits.seconds
        self._stuck = False
        self._resident = resident_bytes() or 0
        self._question = (text, params)
        self._schema = pa.schema([])
        self._types: tuple[DuckDBPyType, ...] = ()
        self._reader = pa.RecordBatchReader.from_batches(self._schema, [])

    def __enter__(self) -> Question:
        self._connection.execute("BEGIN TRANSACTION READ ONLY")
        try:
            self._reader = self._run(self._ask)
            fields = zip(self._reader.schema, _distinct(self._reader.schema.names), strict=True)
            self._schema = pa.schema([field.with_name(name) for field, name in fields])
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def schema(self) -> pa.Schema:
        """Return the columns of the answer. Repeated names have _1, _2 … at their end."""
        return self._schema

    @property
    def types(self) -> Sequence[DuckDBPyType]:
        """Return DuckDB's own types of the columns; Arrow's are not as many."""
        return self._types

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, some thousands at a time. Raises QueryError."""
        while (batch := self._run(self._next)) is not None:
            yield batch

    def _ask(self) -> pa.RecordBatchReader:
        answered = self._connection.execute(*self._question)
        self._types = tuple(column[1] for column in answered.description or ())
        return answered.to_arrow_reader(_BATCH_ROWS)

    def _next(self) -> pa.RecordBatch | None:
        batch = next(self._reader, None)
        return None if batch is None else batch.rename_columns(self._schema.names)

    def _end(self) -> None:
        if not self._stuck:
            with suppress(duckdb.ConnectionException):  # closed meanwhile
                self._connection.execute("ROLLBACK")

    def _run(self, call: Callable[[], _T]) -> _T:
        """Return the result of `call`; interrupt it at a limit, or when this thread is."""
        done = threading.Event()
        results: list[_T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(call())
            except BaseException as error:  # told to the thread that waits
                errors.append(error)
            finally:
                done.set()

        threading.Thread(target=run, daemon=True).start()
        try:
            # The limit needs no clock: the waits are counted.
            while not done.wait(_LOOK_SECONDS):
                self._look()
        except BaseException as reason:
            self._interrupt(done, reason)
            raise
        if errors:
            told = _told(errors[0])
            raise told from (None if told is errors[0] else errors[0])
        return results[0]

    def _look(self) -> None:
        if self._seconds is not None:
            self._seconds -= _LOOK_SECONDS
            if self._seconds <= 0:
                raise over_time(self._limits.seconds)
        most = self._limits.memory_mib
        if most is not None and (resident_bytes() or 0) - self._resident > most * _MIB:
            raise QueryError(f"ended, as it took more than {most:,} MiB; ask for less at a time")

    def _interrupt(self, done: threading.Event, reason: BaseException) -> None:
        # Again and again: an interrupt that comes before a query begins is forgotten.
        for _ in range(int(_GRACE_SECONDS / _LOOK_SECONDS)):
            self._connection.interrupt()
            if done.wait(_LOOK_SECONDS):
                return
        self._stuck = True
        if isinstance(reason, QueryError):
            raise QueryStuckError(str(reason)) from reason


def over_time(seconds: float | None) -> QueryError:
    """Return the error of a query that was ended at its limit of time."""
    return QueryError(
        f"ended at the limit of {seconds:g} s; ask for less, or raise the"
        " limit (--timeout SECONDS, 0 for none; in Python timeout_seconds)"
    )


def _distinct(names: list[str]) -> list[str]:
    """Return names that differ in more than case, as a table needs them."""
    taken = {name.lower() for name in names}
    used: set[str] = set()
    times: dict[str, int] = {}
    distinct = []
    for name in names:
        new = name
        while new.lower() in used or (new != name and new.lower() in taken):
            times[name] = times.get(name, 0) + 1
            new = f"{name}_{times[name]}"
        used.add(new.lower())
        distinct.append(new)
    return distinct


def _told(error: BaseException) -> BaseException:
    if is_damage(error):
        return error
    # After the first rows an error comes through Arrow, as an OSError that is of no file.
    if isinstance(error, OSError) and error.errno is None:
        return QueryError(sentence(error))
    if isinstance(error, (duckdb.Error, RuntimeError, pa.ArrowException)):
        return QueryError(sentence(error))
    return error
