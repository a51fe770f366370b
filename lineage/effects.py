"""What a batch does to what was there: what to derive anew, and what to judge anew."""

from __future__ import annotations

import duckdb
import polars as pl

from lineage.identity import Settled
from lineage.interning import registered
from lineage.policy import Policy
from lineage.sql import sql
from lineage.staging import CHILDREN
from schemas.events import TIERS

# What an event may change, as (table, columns): where and from when.
_CHANGED = {
    "changed_consent": ("consent_change", ("member", "effective_at")),
    "changed_declaration": ("declaration", ("ds", "declared_at")),
    "changed_policy": ("policy", ("effective_at",)),
}


def record(
    connection: duckdb.DuckDBPyConnection, settled: Settled, policies: dict[str, Policy]
) -> bool:
    """Put the batch's events in place of what they replace; fill `dirty` and `touched`.

    `dirty` (m): messages to derive anew, their arrivals deleted here; true if there are any.
    `touched` (m, ds): to judge anew from all their arrivals. Reads the registered `fresh_*`
    tables. `policies` are the parsed documents.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE dirty (m BIGINT); "
        "CREATE OR REPLACE TEMP TABLE touched (m BIGINT, ds INTEGER)"
    )
    old = _retract(connection, settled)
    _insert(connection, settled, policies)
    changed = {
        name: pl.concat([old[name], getattr(settled.fresh, table).select(columns)])
        for name, (table, columns) in _CHANGED.items()
    }
    claims = settled.fresh.hop["method"].is_not_null().any()
    if claims or any(len(frame) for frame in changed.values()):
        with registered(connection, **changed):
            _refresh_spans(connection, changed)
            if claims or len(changed["changed_policy"]):
                _examine_declassification(connection, len(settled.fresh.hop) > 0)
            _touch(connection, changed)
    return _delete_dirty(connection)


def _retract(connection: duckdb.DuckDBPyConnection, settled: Settled) -> dict[str, pl.DataFrame]:
    """Delete the events that no longer count; what they held, and from when."""
    old = {
        name: getattr(settled.fresh, table).select(columns).clear()
        for name, (table, columns) in _CHANGED.items()
    }
    for table, numbers in settled.replaced.items():
        if not len(numbers):
            continue
        with registered(connection, replaced=pl.DataFrame({"n": numbers})):
            if table == "message":
                connection.execute("INSERT INTO dirty SELECT n FROM replaced")
            if table == "hop":
                _carried_by(connection, "SELECT n AS h FROM replaced")
            for name, (of, columns) in _CHANGED.items():
                if of == table:
                    query = (
                        f"SELECT {', '.join(columns)} FROM core.{of} SEMI JOIN replaced USING (n)"  # noqa: S608 -- names of ours
                    )
                    held = connection.execute(query).pl()
                    old[name] = held.cast(dict(old[name].schema))
            for name, key in _tables_of(table):
                connection.execute(
                    f"DELETE FROM core.{name} WHERE {key} IN (SELECT n FROM replaced)"  # noqa: S608 -- names of ours
                )
    return old


def _tables_of(table: str) -> list[tuple[str, str]]:
    """The tables that hold an event of `table`, and the column that has its number."""
    if table == "hop":
        return [("hop", "n"), ("hop_input", "h"), ("hop_output", "h"), ("declassifying_hop", "h")]
    if table == "policy":
        return [("policy", "n"), ("policy_method", "policy"), ("policy_rule", "policy")]
    return [(name, "n") for name in (table, *CHILDREN.get(table, ()))]


def _insert(
    connection: duckdb.DuckDBPyConnection, settled: Settled, policies: dict[str, Policy]
) -> None:
    for table in ("message", "hop", "consent_change", "declaration"):
        for name in (table, *CHILDREN.get(table, ())):
            if len(getattr(settled.fresh, name)):
                connection.execute(sql(f"insert_{name}"))
    for row in settled.fresh.policy.iter_rows(named=True):
        insert_policy(connection, row, policies[row["document"]])


def insert_policy(
    connection: duckdb.DuckDBPyConnection, row: dict[str, object], policy: Policy
) -> None:
    """Keep a policy: `row` has n, policy_id, effective_at, disclosed_at and document."""
    number = row["n"]
    connection.execute(
        "INSERT INTO core.policy VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            number,
            row["policy_id"],
            row["effective_at"],
            row["disclosed_at"],
            row["document"],
            sum(1 << i for i, tier in enumerate(TIERS) if tier in policy.paying_tiers),
            sorted(policy.exempt_regions),
        ],
    )
    for method, min_k in sorted(policy.declassification.items()):
        connection.execute(
            "INSERT INTO core.policy_method VALUES (?, ?, ?)", [number, method, min_k]
        )
    for i, rule in enumerate(policy.rules):
        connection.execute(
            "INSERT INTO core.policy_rule VALUES (?, ?, ?, ?, ?, ?)",
            [number, i, rule.id, rule.severity, rule.sql, sorted(rule.facts)],
        )


def _refresh_spans(connection: duckdb.DuckDBPyConnection, changed: dict[str, pl.DataFrame]) -> None:
    if len(changed["changed_policy"]):
        connection.execute(sql("policy_span"))
    if len(changed["changed_declaration"]):
        connection.execute(sql("declaration_span"))


def _examine_declassification(connection: duckdb.DuckDBPyConnection, hops: bool) -> None:
    """Bring core.declassifying_hop up to date; what old hops carried is derived anew."""
    connection.execute(sql("changed_policy_span"))
    fresh = "SELECT n, method FROM fresh_hop" if hops else "SELECT n, method FROM core.hop LIMIT 0"
    connection.execute(sql("examined").format(fresh=fresh))
    connection.execute("CREATE OR REPLACE TEMP TABLE declassifying AS " + sql("declassifying"))
    turned = (
        "SELECT h FROM examined WHERE NOT fresh "
        "AND (h IN (FROM declassifying)) <> (h IN (FROM core.declassifying_hop))"
    )
    _carried_by(connection, turned)
    connection.execute("DELETE FROM core.declassifying_hop WHERE h IN (SELECT h FROM examined)")
    connection.execute("INSERT INTO core.declassifying_hop SELECT h FROM declassifying")


def _carried_by(connection: duckdb.DuckDBPyConnection, hops: str) -> None:
    """Derive anew the messages that `hops`, a query for their numbers as h, carried."""
    connection.execute(
        f"INSERT INTO dirty SELECT DISTINCT a.m FROM core.arrival a JOIN ({hops}) USING (h)"  # noqa: S608 -- a query of ours
    )


def _touch(connection: duckdb.DuckDBPyConnection, changed: dict[str, pl.DataFrame]) -> None:
    consents = changed["changed_consent"]
    if len(consents):
        since = consents["effective_at"].min()
        connection.execute(sql("touched_by_consent"), {"since": since})
    if len(changed["changed_declaration"]):
        connection.execute(sql("touched_by_declaration"))
    if len(changed["changed_policy"]):
        connection.execute(sql("touched_by_policy"))


def _delete_dirty(connection: duckdb.DuckDBPyConnection) -> bool:
    row = connection.execute("SELECT count(*) FROM dirty").fetchone()
    if not (row and row[0]):
        return False
    connection.execute(
        "INSERT INTO touched SELECT DISTINCT f.m, f.ds FROM core.flag f SEMI JOIN dirty USING (m)"
    )
    connection.execute("DELETE FROM core.arrival WHERE m IN (SELECT m FROM dirty)")
    return True
