"""Questions: the saved ones and free SQL, whose parameters are fields of a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from lineage import QueryError
from lineage.audit.questions.saved_questions import SavedQuestion, saved_questions
from streams.console.page.contents import Asked, MissingError, Page
from streams.console.page.rows import Rows

__all__ = ["question", "questions"]

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
            answer = _answer(asked, text, given)
        except QueryError as refused:
            if asked.rows_max:
                raise
            error = str(refused)
    arguments = {_PREFIX + name: value for name, value in given.items() if value is not None}
    shown = {
        "saved": saved_questions().values(),
        "sql": text or "",
        "parameters": given,
        "answer": answer,
        "error": error,
        "own_query": urlencode({"sql": text or "", **arguments}),
    }
    return Page("questions.html", "Questions", {"answer": answer or Rows.of([])}, shown)


def question(asked: Asked) -> Page:
    """Return the page of a saved question; with what it needs in the address, with its answer."""
    saved = saved_questions().get(asked.name)
    if saved is None:
        raise MissingError(f"there is no question {asked.name[:256]!r}")
    fields = {name: asked.arguments.get(_PREFIX + name, "") for name in _names(saved)}
    given = {name: value.strip() for name, value in fields.items() if value.strip()}
    is_asked = bool(given) or not any(each.required for each in saved.parameters)
    answer, error = None, None
    if is_asked or asked.rows_max:
        try:
            answer = _answer(asked, saved.sql, saved.values(given))
        except QueryError as refused:
            if asked.rows_max:
                raise
            error = str(refused)
    shown = {
        "question": saved,
        "given": given,
        "answer": answer,
        "error": error,
        "own_query": urlencode({_PREFIX + name: value for name, value in given.items()}),
    }
    return Page("question.html", saved.title, {"answer": answer or Rows.of([])}, shown)


def _names(saved: SavedQuestion) -> list[str]:
    return [each.name for each in saved.parameters]


def _answer(asked: Asked, text: str, parameters: Mapping[str, object]) -> Rows:
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
