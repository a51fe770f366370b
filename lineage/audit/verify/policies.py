"""Checks what is derived from policies and declarations: rules, spans, what declassifies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from lineage.audit.verify.checked import MEND_DERIVED, Checked, Examination, Problems
from lineage.database.policies import policy_rows
from lineage.database.spans import DECLARATIONS, POLICIES
from lineage.database.statements import sql
from lineage.errors import PolicyError
from lineage.policy.parse import BUILT_IN, BUILT_IN_DOCUMENT, BUILT_IN_ID, parse_policy

_BUILT_IN: Final = 0
_OF_POLICY: Final = ("policy_method", "policy_rule")


def check_policies(ex: Examination) -> Iterator[Checked]:
    """Check the contents of policies against their documents, and the spans in which they hold."""
    problems = Problems()
    policies = ex.rows("SELECT id, policy_id, document FROM core.policy ORDER BY id")
    for key, policy_id, document in policies:
        _check_policy(ex, key, str(policy_id), str(document), problems)
    if not any(key == _BUILT_IN for key, _, _ in policies):
        problems.add("core.policy: the built-in policy is not there")
    for name in _OF_POLICY:
        query = f"SELECT count(*) FROM core.{name} WHERE policy NOT IN (SELECT id FROM core.policy)"  # noqa: S608 -- a name of ours
        if ex.number(query):
            problems.add(f"core.{name} has rows of a policy that is not there")
    told = f"{len(policies):,} policies, as their documents say"
    yield Checked("policies", told, problems.all(), MEND_DERIVED)
    problems = Problems()
    for name in (POLICIES, DECLARATIONS):
        derived = sql(f"database/{name}")
        query = sql("audit/verify/wrong_spans").format(
            derived=derived, table=name, key=name.removesuffix("_span")
        )
        for count, key, why in ex.rows(query):
            problems.add(f"core.{name}: {count} rows {why}, the first of the key {key}")
    flipped = ex.rows(
        sql("audit/verify/wrong_declassification").format(
            declassifying=sql("judge/invalidate/declassifying").format(hops="claiming")
        )
    )
    if flipped:
        ids = ex.names(np.array([row[0] for row in flipped], dtype=np.int64))
        problems.add(f"{len(flipped):,} hops declassify and say no, or the other way round: {ids}")
    told = "spans of policies and declarations, hops that declassify"
    yield Checked("in force", told, problems.all(), MEND_DERIVED)


def _check_policy(
    ex: Examination, key: object, policy_id: str, document: str, problems: Problems
) -> None:
    try:
        policy = BUILT_IN if key == _BUILT_IN else parse_policy(document)
    except PolicyError as error:
        problems.add(f"core.policy: the document of {policy_id} is none: {error.reason}")
        return
    if key == _BUILT_IN:
        _check_built_in(ex, policy_id, document, problems)
    for name, rows in policy_rows(key, policy).items():
        if not _is_stored(ex, name, key, rows):
            problems.add(f"core.{name} is not what the document of {policy_id} says")


def _check_built_in(ex: Examination, policy_id: str, document: str, problems: Problems) -> None:
    ever = ex.rows(
        "SELECT (effective_at, disclosed_at) = (TIMESTAMP '1970-01-01', TIMESTAMP '1970-01-01')"
        " FROM core.policy WHERE id = 0"
    )
    if (policy_id, document) != (BUILT_IN_ID, BUILT_IN_DOCUMENT) or ever != [(True,)]:
        problems.add("core.policy: the built-in policy is another")


def _is_stored(ex: Examination, table: str, key: object, rows: list[dict[str, object]]) -> bool:
    names = list(rows[0]) if rows else ["policy"]
    column = "id" if table == "policy" else "policy"
    selected = ", ".join(
        f"CAST({name} AS VARCHAR)" if name == "severity" else name for name in names
    )
    query = f"SELECT {selected} FROM core.{table} WHERE {column} = $key"  # noqa: S608 -- names of ours
    found = ex.rows(query, {"key": key})
    return sorted(map(repr, found)) == sorted(repr(tuple(row.values())) for row in rows)
