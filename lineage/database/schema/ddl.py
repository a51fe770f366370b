"""SQL generated from the model: tables, views, comments, INSERT, stored rows, digest lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lineage.database.schema.model import Column, Reference, Table

__all__ = [
    "comments",
    "create_table",
    "create_view",
    "digest_line",
    "insert",
    "joins",
    "select",
    "shown",
    "stored",
]

_RECORDED_AT = "CAST(getvariable('recorded_at') AS TIMESTAMP)"
_ENUMS = ("core.severity", "core.status")


def create_table(table: Table) -> str:
    """Return the CREATE TABLE of a table of the model."""
    columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
    return f"CREATE TABLE core.{table.name} ({columns})"


def create_view(table: Table) -> str:
    """Return the CREATE VIEW that shows a table to auditors: in texts, in the model's order."""
    columns = [column for column in table.columns if column.shown]
    where = f" WHERE t.{table.where}" if table.where else ""
    return f"CREATE VIEW {table.view} AS {select(table, columns)}{where}"


def select(table: Table, columns: Sequence[Column]) -> str:
    """Return a SELECT of some columns of a table `t` as a person reads them."""
    selected = ", ".join(f"{shown(column)} AS {column.shown or column.name}" for column in columns)
    return f"SELECT {selected} FROM core.{table.name} t {joins(columns)}"  # noqa: S608 -- the model's names


def comments(table: Table) -> list[str]:
    """Return the COMMENT statements of a table's view and its columns."""
    told = [(f"VIEW {table.view}", table.comment)]
    told += [
        (f"COLUMN {table.view}.{column.shown}", column.comment)
        for column in table.columns
        if column.shown
    ]
    return [f"COMMENT ON {what} IS '{text.replace(chr(39), chr(39) * 2)}'" for what, text in told]


def insert(table: Table, rows: str) -> str:
    """Return an INSERT of all rows of a relation that has the table's columns, among others.

    A table that tells when its rows were recorded gets that from the variable `recorded_at`, so
    that the relation need not have the same instant in each row. It is no parameter, since for the
    value of each one DuckDB's client looks for pandas in all of the path: 0.2 ms a statement.
    """
    columns = [column.name for column in table.columns]
    selected = [_RECORDED_AT if name == "recorded_at" else name for name in columns]
    return (
        f"INSERT INTO core.{table.name} ({', '.join(columns)}) "  # noqa: S608 -- the model's names
        f"SELECT {', '.join(selected)} FROM {rows}"
    )


def stored(table: Table, wanted: str) -> str:
    """Return a SELECT of stored rows in the columns of a batch, `row` being the event's id.

    wanted: a relation with the ids (`id`) of the events.
    """
    columns = {column.field: column for column in table.kept}
    selected = ", ".join(f"{shown(column)} AS {field}" for field, column in columns.items())
    return (
        f"SELECT t.{table.key} AS row, {selected} FROM {wanted} w "  # noqa: S608 -- the model's names
        f"JOIN core.{table.name} t ON t.{table.key} = w.id {joins(columns.values())}"
    )


def digest_line(columns: Iterable[Column]) -> str:
    """Return the expressions of a digest's line: each column of a table `t` as a text."""
    return ", ".join(_canonical(column) for column in columns)


def _canonical(column: Column) -> str:
    if column.type == "TIMESTAMP":
        return f"CAST(epoch_us({shown(column)}) AS VARCHAR)"
    is_text = column.reference or column.label or column.type in ("VARCHAR", *_ENUMS)
    return shown(column) if is_text else f"CAST({shown(column)} AS VARCHAR)"


def shown(column: Column) -> str:
    """Return an expression for a column of a table `t`, joined by `joins`, as a person reads it."""
    if column.reference is not None:
        return f"{_alias(column)}.{column.reference.text}"
    if column.label:
        return f"core.{column.label}_label(t.{column.name})"
    if column.type in _ENUMS:
        return f"CAST(t.{column.name} AS VARCHAR)"
    if column.none is not None:
        return f"nullif(t.{column.name}, '{column.none}')"
    return f"t.{column.name}"


def joins(columns: Iterable[Column], relations: Mapping[Reference, str] | None = None) -> str:
    """Return the JOINs of a table `t` with the texts that its columns stand for.

    relations: for a reference another relation of the same columns, such as a part of it.
    """
    found = []
    for column in columns:
        if column.reference is not None:
            relation = (relations or {}).get(column.reference, column.reference.relation)
            left = "LEFT " if column.nullable else ""
            alias = _alias(column)
            found.append(f"{left}JOIN {relation} {alias} ON {alias}.id = t.{column.name}")
    return " ".join(found)


def _alias(column: Column) -> str:
    return f"{column.name}_text"
