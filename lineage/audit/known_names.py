"""Checks that a name asked about is known: a typo would be answered with "none"."""

from __future__ import annotations

from difflib import get_close_matches

import duckdb

from lineage.codec.contract.events import SEVERITIES
from lineage.errors import QueryError
from lineage.keys.texts import key_of

_RULES = "SELECT DISTINCT rule FROM core.policy_rule"
_DATASETS = "SELECT text FROM core.dataset_name"


def check_known(
    connection: duckdb.DuckDBPyConnection,
    rule: str | None,
    dataset: str | None,
    message_id: str | None,
    severity: str | None = None,
) -> None:
    """Raise QueryError where one of these, if given, is not in the database, with the nearest."""
    if rule is not None:
        _check(connection, _RULES, rule, "no policy in the database has a rule")
    if dataset is not None:
        _check(connection, _DATASETS, dataset, "no event in the database names a dataset")
    if severity is not None and severity not in SEVERITIES:
        raise QueryError(f"a severity is {', '.join(SEVERITIES)}, and not {severity!r}")
    if message_id is not None and not _is_message(connection, message_id):
        raise QueryError(f"no message in the database has the id {message_id!r}")


def _check(connection: duckdb.DuckDBPyConnection, query: str, name: str, wrong: str) -> None:
    known = [text for (text,) in connection.execute(query).fetchall()]
    if name in known:
        return
    nearest = get_close_matches(name, known, 1)
    hint = f"; the nearest is {nearest[0]!r}" if nearest else ""
    raise QueryError(f"{wrong} {name!r}{hint}")


def _is_message(connection: duckdb.DuckDBPyConnection, message_id: str) -> bool:
    key = key_of(connection, message_id)
    query = "SELECT EXISTS (FROM core.message WHERE id = $key)"
    return key is not None and connection.execute(query, {"key": key}).fetchall() == [(True,)]
