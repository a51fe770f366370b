"""Inserts policies into the database: the contents of their documents, as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from lineage.codec.contract.events import TIERS
from lineage.policy.parse import Policy


def insert_policy(
    connection: duckdb.DuckDBPyConnection, row: Mapping[str, object], policy: Policy
) -> None:
    """Insert a policy. row: its `id` and the columns of a batch's row (null where absent)."""
    key = row["id"]
    stored = {
        **{name: value for name, value in row.items() if name != "row"},
        "paying_tiers": sum(1 << i for i, tier in enumerate(TIERS) if tier in policy.paying_tiers),
        "exempt_regions": sorted(policy.exempt_regions),
    }
    _insert(connection, "core.policy", stored)
    for method, min_k in sorted(policy.declassification.items()):
        _insert(connection, "core.policy_method", {"policy": key, "method": method, "min_k": min_k})
    for ordinal, rule in enumerate(policy.rules):
        said = {"rule": rule.id, "severity": rule.severity, "expression": rule.sql}
        place = {"policy": key, "ordinal": ordinal}
        _insert(connection, "core.policy_rule", {**place, **said, "facts": sorted(rule.facts)})


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, object]) -> None:
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [*row.values()])  # noqa: S608 -- names of ours
