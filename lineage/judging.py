"""Which rules are broken: facts as of each arrival, rules by the policy in force, flags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from lineage.ranges import rows_near
from lineage.sql import sql

# A rule that reads one of these cannot be evaluated once for many arrivals.
_OF_ONE_ARRIVAL = frozenset({"message_id", "arrived_at"})
_RULES_MAX = 200


@dataclass(frozen=True)
class _StoredRule:
    policy: int
    rule: str
    severity: str
    expression: str
    facts: frozenset[str]


def judge(connection: duckdb.DuckDBPyConnection) -> bool:
    """Bring the flags up to date with `arrived` and `touched`; false if there is nothing to do.

    Reads `arrived` (what the batch made arrive, recorded already) and `touched` (the (m, ds) to be
    judged anew from all their arrivals). Leaves `standing`, the flags before, and `verdict`, the
    flags after, of all that the batch may change.
    """
    connection.execute(sql("to_judge"))
    if not _any(connection, "to_judge", "touched"):
        return False
    evaluate(connection)
    if not _any(connection, "breach", "touched"):
        return False
    connection.execute(sql("standing_flag"))
    connection.execute(sql("verdict"))
    connection.execute(sql("delete_standing_flag"))
    connection.execute("INSERT INTO core.flag BY NAME SELECT * FROM verdict")
    return True


def evaluate(connection: duckdb.DuckDBPyConnection) -> None:
    """From the arrivals in `to_judge` fill `judged`, their facts, and `breach`, what they break."""
    messages = connection.execute("SELECT DISTINCT m FROM to_judge").fetchnumpy()["m"]
    party = rows_near("core.message_party", "n", messages)
    message = rows_near("core.message", "n", messages)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE refusal AS "
        + sql("refusal").format(arrival="to_judge", party=party)
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE judged AS "
        + sql("fact").format(arrival="to_judge", message=message, refusal="refusal")
    )
    connection.execute(
        sql("combination").format(
            fact_text=sql("fact_text").format(facts="distinct_facts", more="NULL AS arrived_at")
        )
    )
    connection.execute(sql("breach"))
    rules = _rules(connection)
    once = [rule for rule in rules if not rule.facts & _OF_ONE_ARRIVAL]
    for some in _in_parts(once):
        broken = _broken(some, "combination", "*")
        connection.execute(sql("breach_of_combination").format(broken=broken))
    each = [rule for rule in rules if rule.facts & _OF_ONE_ARRIVAL]
    if each:
        fact_text = sql("fact_text").format(facts="judged", more="f.arrived_at, i.id AS message_id")
        connection.execute(sql("judged_text").format(fact_text=fact_text))
    for some in _in_parts(each):
        broken = _broken(some, "judged_text", "m, ds, policy, arrived_at, h, rec")
        connection.execute(f"INSERT INTO breach {broken}")


def _in_parts(rules: list[_StoredRule]) -> Iterator[list[_StoredRule]]:
    """A policy may have thousands of rules, and DuckDB nests the parts of a UNION."""
    for first in range(0, len(rules), _RULES_MAX):
        yield rules[first : first + _RULES_MAX]


def _any(connection: duckdb.DuckDBPyConnection, *tables: str) -> bool:
    """Whether one of `tables` has a row."""
    row = connection.execute(
        "SELECT " + " OR ".join(f"EXISTS (FROM {table})" for table in tables)
    ).fetchone()
    return bool(row and row[0])


def _rules(connection: duckdb.DuckDBPyConnection) -> list[_StoredRule]:
    """The rules of the policies that judge this batch."""
    rows = connection.execute(
        "SELECT policy, rule, CAST(severity AS VARCHAR), expression, facts FROM core.policy_rule "
        "SEMI JOIN combination USING (policy) ORDER BY policy, ordinal"
    ).fetchall()
    return [_StoredRule(p, r, s, e, frozenset(f)) for p, r, s, e, f in rows]


def _broken(rules: list[_StoredRule], facts: str, columns: str) -> str:
    """SQL for the rows of `facts` that break one of `rules`, with the rule and its severity."""
    return " UNION ALL ".join(
        f"SELECT {_literal(rule.rule)} AS rule, "  # noqa: S608 -- a checked expression and a quoted id
        f"CAST('{rule.severity}' AS core.severity) AS severity, {columns} "
        f"FROM {facts} WHERE policy = {rule.policy} AND {rule.expression}"
        for rule in rules
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
