"""Questions in SQL that can change nothing and reach nothing outside the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from lineage.errors import QueryError, sentence

Parameters = Sequence[object] | Mapping[str, object] | None


def query(
    connection: duckdb.DuckDBPyConnection, text: str, params: Parameters = None
) -> duckdb.DuckDBPyRelation:
    """Answer one SELECT (also FROM, VALUES, SHOW, DESCRIBE, SUMMARIZE), with `params` bound.

    Files, settings and other databases are out of reach by the settings of the connection; a
    statement of any other kind raises QueryError, and so does what DuckDB cannot answer.
    """
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(f"not SQL that DuckDB can read: {sentence(error)}") from error
    if len(statements) != 1:
        raise QueryError(f"one statement at a time, please; found {len(statements)}")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise QueryError(f"only a SELECT can be asked, and this is {_article(kind.name)}")
    try:
        connection.execute("BEGIN TRANSACTION READ ONLY")
        try:
            answer = connection.execute(text, params).to_arrow_table()
        except BaseException:
            # Ctrl-C reaches Python while the query goes on, and ROLLBACK would wait for its end.
            connection.interrupt()
            raise
        finally:
            connection.execute("ROLLBACK")
    except (duckdb.Error, RuntimeError) as error:
        raise QueryError(sentence(error)) from error
    return connection.from_arrow(answer)


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name.replace('_', ' ')}"
