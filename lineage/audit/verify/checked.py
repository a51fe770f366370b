"""The outcome of a check, and what a check is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from lineage.arrays import IntArray, distinct
from lineage.keys.texts import IdTexts
from lineage.limits import Limits

_TOLD_MAX: Final = 5
MEND_EVENTS: Final = (
    "take a copy of the database that is whole, or replay the event log into a new one"
)
MEND_DERIVED: Final = (
    "the events tell what is right: replay the event log, or read the topics, into a new database"
)


@dataclass(frozen=True)
class Checked:
    """The outcome of one check.

    Attributes:
        check: The name of the check.
        found: What was looked at, and how much.
        problems: What is wrong, and where, a sentence each; empty where all is well.
        advice: What to do about it.
    """

    check: str
    found: str
    problems: tuple[str, ...] = ()
    advice: str = ""

    @property
    def is_sound(self) -> bool:
        """True where nothing is wrong."""
        return not self.problems


@dataclass(frozen=True)
class Sample:
    """The messages that are followed again: so many, chosen by a seed."""

    messages: int
    seed: int


@dataclass(frozen=True)
class Examination:
    """What a check is given.

    Attributes:
        connection: To the database; a check asks one question at a time.
        memory_mib: Of the database.
        folder: For what does not fit into memory; None: that of temporary files.
        limits: How many rows are read at a time.
        sample: The messages that are followed again; None: all of them.
        advance: Called with the number of messages that are done.
    """

    connection: duckdb.DuckDBPyConnection
    memory_mib: int
    folder: Path | None
    limits: Limits
    sample: Sample | None
    advance: Callable[[int], None]

    def rows(self, query: str, parameters: object = None) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT, all at once."""
        found: list[tuple[Any, ...]] = self.connection.execute(query, parameters).fetchall()
        return found

    def number(self, query: str, parameters: object = None) -> int:
        """Return the one number that a SELECT finds."""
        ((found,),) = self.connection.execute(query, parameters).fetchall()
        return int(found or 0)

    def names(self, keys: IntArray) -> str:
        """Return the ids of some keys, the first of them, as a person reads them."""
        some = distinct(keys)[:_TOLD_MAX]
        known = self.rows(
            "SELECT id FROM core.identifier WHERE id IN (SELECT unnest($ids))",
            {"ids": some.tolist()},
        )
        there = np.array([row[0] for row in known], dtype=np.int64)
        texts = IdTexts(self.connection, there)
        told = [
            texts.of(np.array([key]))[0] if key in there else f"key {key}" for key in some.tolist()
        ]
        more = len(distinct(keys)) - len(some)
        return ", ".join(told) + (f" and {more:,} more" if more > 0 else "")


@dataclass
class Problems:
    """Problems as they are found: the first are told, the others counted."""

    told: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        """Add a problem."""
        self.count += 1
        if len(self.told) < _TOLD_MAX:
            self.told.append(sentence)

    def add_more(self, count: int) -> None:
        """Count further problems of the same kind."""
        self.count += count

    @property
    def is_full(self) -> bool:
        """True where no further one is told, only counted."""
        return len(self.told) >= _TOLD_MAX

    def all(self) -> tuple[str, ...]:
        """Return the sentences, and at the end how many there are more."""
        more = self.count - len(self.told)
        return (*self.told, *([f"and {more:,} more"] if more else []))
