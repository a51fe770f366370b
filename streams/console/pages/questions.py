"""Free questions: SQL in a form, its parameters as fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from lineage import QueryError
from streams.console.page import Asked, Page
from streams.console.rows import Rows

__all__ = ["ask_free", "questions"]

_ROWS_MAX = 200
_PARAMETER = re.compile(r"'(?:[^']|'')*'|--[^\n]*|\$([A-Za-z_]\w*)")
_PREFIX = "p."


def questions(asked: Asked) -> Page:
    """Return the page of the questions; with `sql` in the address, with its answer."""
    text = asked.text("sql")
    names = list(dict.fromkeys(n for n in _PARAMETER.findall(text or "") if n))
    given = {name: asked.arguments.get(_PREFIX + name) for name in names}
    answer, error = None, None
    if text is not None and None not in given.values():
        try:
            answer = ask_free(asked, text, given)
        except QueryError as refused:
            if asked.rows_max:
                raise
            error = str(refused)
    arguments = {_PREFIX + name: value for name, value in given.items() if value is not None}
    shown = {
        "sql": text or "",
        "parameters": given,
        "answer": answer,
        "error": error,
        "query": urlencode({"sql": text or "", **arguments}),
    }
    return Page("questions.html", "Questions", {"answer": answer or Rows.of([])}, shown)


def ask_free(asked: Asked, text: str, parameters: Mapping[str, object]) -> Rows:
    """Ask a SELECT, which is checked, and take so many rows of its answer. Raises QueryError."""
    most = asked.rows_max or _ROWS_MAX
    rows: list[dict[str, object]] = []
    with asked.reader.sql_batches(text, dict(parameters) or None) as question:
        columns = question.schema.names
        for batch in question.batches():
            rows += batch.slice(0, most + 1 - len(rows)).to_pylist()
            if len(rows) > most:
                break
    return Rows(columns, rows[:most], len(rows) > most)
