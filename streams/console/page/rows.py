"""Asks the SELECTs of a page, and holds their rows, which say when they were cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from lineage.store.reader import Reader

__all__ = ["Rows", "ask", "statement"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Rows:
    """Rows of an answer; cut: whether there were more."""

    columns: Sequence[str]
    rows: Sequence[Row]
    cut: bool = False

    def __iter__(self) -> Any:  # noqa: ANN401 -- of a row's values
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Rows:
        """Return rows that are made here."""
        return cls(tuple(rows[0]) if rows else (), rows)


@cache
def statement(name: str) -> str:
    """Return the text of a SELECT of the pages."""
    return (files("streams.console").joinpath("sql", f"{name}.sql")).read_text(encoding="utf-8")


def ask(
    reader: Reader,
    name: str,
    most: int | None = None,
    /,
    texts: Mapping[str, str] | None = None,
    **parameters: object,
) -> Rows:
    """Ask the SELECT of a name.

    most: its rows at most, for which it asks one more ($most). texts: parts of the program's own
    that stand in its braces.
    """
    if most is not None:
        parameters["most"] = most + 1
    text = statement(name).format(**texts) if texts else statement(name)
    found = reader.answer(text, parameters or None)
    columns = found.columns
    rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return Rows(columns, rows[:most], most is not None and len(rows) > most)
