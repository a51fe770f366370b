"""Checks that a query is allowed: one SELECT that reads the database and does nothing else."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import duckdb
import numpy as np

from lineage.audit.select_check.bounds import Bounds
from lineage.audit.select_check.shapes import Node
from lineage.audit.select_check.text import check_text
from lineage.audit.select_check.tree import TreeCheck
from lineage.errors import QueryError, sentence

Parameters = Sequence[object] | Mapping[str, object] | None

_RELATIONS: Final = """
SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal
UNION ALL
SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal
"""
_VALUES: Final = (
    bool, int, float, str, bytes, Decimal, np.generic,
    datetime.date, datetime.time, datetime.datetime, datetime.timedelta,
)  # fmt: skip


def check(connection: duckdb.DuckDBPyConnection, text: str, params: Parameters = None) -> None:
    """Raise QueryError unless `text` is one SELECT, made of allowed nodes, that stays in bounds.

    Allowed are the tables and views of the database, and the functions in `select_check.functions`;
    everything is looked up in the syntax tree that DuckDB itself makes of the text. params: values,
    also in lists and dicts. The check executes statements on the connection, which must not be in a
    query.
    """
    check_text(text)
    values = _values_of(params)
    try:
        tree = _parse(connection, text)
        names = frozenset(connection.execute(_RELATIONS).fetchall())
        row = connection.execute("SELECT current_database()").fetchone()
        database = str(row[0]) if row else ""
        TreeCheck(names, database, values, lambda name: _is_known(connection, name)).walk(tree)
        Bounds().check(tree["statements"][0]["node"])
    except RecursionError:
        raise QueryError("the question is nested too deeply") from None


def _parse(connection: duckdb.DuckDBPyConnection, text: str) -> Node:
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(f"not SQL that DuckDB can read: {sentence(error)}") from error
    if len(statements) != 1:
        if any(each.type == duckdb.StatementType.SELECT and not each.query for each in statements):
            raise QueryError("PIVOT is allowed only with its values: PIVOT … ON column IN (…)")
        raise QueryError(f"one statement at a time, please; found {len(statements)}")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise QueryError(f"only a SELECT can be asked, and this is {_article(kind.name)}")
    try:
        row = connection.execute("SELECT json_serialize_sql(CAST(? AS VARCHAR))", [text]).fetchone()
    except duckdb.Error as error:
        raise QueryError("the question is too large to be looked at") from error
    tree: Node = json.loads(row[0]) if row else {"error": True}
    if tree["error"] or len(tree["statements"]) != 1:
        raise QueryError(
            "only a SELECT can be asked, also as FROM, VALUES, SHOW, DESCRIBE or SUMMARIZE;"
            " for PRAGMA table_info write DESCRIBE"
        )
    return tree


def _is_known(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    query = "SELECT 1 FROM duckdb_functions() WHERE lower(function_name) = ? LIMIT 1"
    return connection.execute(query, [name]).fetchone() is not None


def _values_of(params: Parameters) -> Mapping[str, object]:
    """Return the parameters by their names, "1" and so on where they have none."""
    if params is None:
        return {}
    if isinstance(params, Mapping):
        values = {str(name).lower(): value for name, value in params.items()}
    else:
        values = {str(place): value for place, value in enumerate(params, start=1)}
    if isinstance(params, (str, bytes)) or not all(map(_is_value, values.values())):
        raise QueryError(
            "parameters are a list or a dict of plain values: numbers, text, instants, lists"
        )
    return values


def _is_value(value: object, depth: int = 0) -> bool:
    if value is None or isinstance(value, _VALUES) or type(value).__name__ == "UUID":
        return True
    if depth > 10:
        return False
    if isinstance(value, Mapping):
        return all(_is_value(k, depth + 1) and _is_value(v, depth + 1) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_value(item, depth + 1) for item in value)
    return False


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name.replace('_', ' ')}"
