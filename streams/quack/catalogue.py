"""Tells clients which tables there are: they ask DuckDB's catalogue by two texts of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["own_query"]

# By the words of what a client of DuckDB 1.5.5 asks when it attaches.
_ASKED: Mapping[str, str] = {
    "SELECT catalog_name, schema_name FROM information_schema.schemata WHERE catalog_name NOT IN"
    " ('system', 'temp') ORDER BY ALL": "schemas",
    "SELECT schema_name, sql, 'table' FROM duckdb_tables() UNION ALL SELECT schema_name, view_name,"
    " 'view' FROM duckdb_views()": "tables",
}


def own_query(query: str) -> str:
    """Return the query that answers in the place of a client's for the catalogue, else the same."""
    name = _ASKED.get(" ".join(query.split()))
    return query if name is None else _sql(name)


@cache
def _sql(name: str) -> str:
    return (files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
