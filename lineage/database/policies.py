"""Inserts policies into the database: the contents of their documents, as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from lineage.codec.contract.events import TIERS
from lineage.policy.parse import Policy

Rows = dict[str, list[dict[str, object]]]


def tier_bits(policy: Policy) -> int:
    """Return the paying tiers of a policy, a bit each."""
    return sum(1 << i for i, tier in enumerate(TIERS) if tier in policy.paying_tiers)


def policy_rows(key: object, policy: Policy) -> Rows:
    """Return what is derived from a policy's document: by table of core, the rows of the policy."""
    return {
        "policy": [
            {"paying_tiers": tier_bits(policy), "exempt_regions": sorted(policy.exempt_regions)}
        ],
        "policy_method": [
            {"policy": key, "method": method, "min_k": min_k}
            for method, min_k in sorted(policy.declassification.items())
        ],
        "policy_rule": [
            {
                "policy": key,
                "ordinal": ordinal,
                "rule": rule.id,
                "severity": rule.severity,
                "expression": rule.sql,
                "facts": sorted(rule.facts),
            }
            for ordinal, rule in enumerate(policy.rules)
        ],
    }


def insert_policy(
    connection: duckdb.DuckDBPyConnection, row: Mapping[str, object], policy: Policy
) -> None:
    """Insert a policy. row: its `id` and the columns of a batch's row (null where absent)."""
    given = {name: value for name, value in row.items() if name != "row"}
    rows = policy_rows(row["id"], policy)
    rows["policy"] = [{**given, **derived} for derived in rows["policy"]]
    for table, stored in rows.items():
        for each in stored:
            _insert(connection, f"core.{table}", each)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, object]) -> None:
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [*row.values()])  # noqa: S608 -- names of ours
