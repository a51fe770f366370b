"""What a batch does to what was there: what to derive anew, and what to judge anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import polars as pl

from lineage.identity import Settled
from lineage.interning import registered
from lineage.policies import insert_policy
from lineage.policy import Policy
from lineage.ranges import rows_near
from lineage.reach import Arrivals
from lineage.sql import sql
from lineage.staging import CHILDREN, Staged

# What an event may change, as (table, columns): where and from when.
_CHANGED = {
    "changed_consent": ("consent_change", ("member", "effective_at")),
    "changed_declaration": ("declaration", ("ds", "declared_at")),
    "changed_policy": ("policy", ("effective_at",)),
}


@dataclass(frozen=True)
class Recorded:
    """What recording a batch's events came to.

    Attributes:
        fresh: The events as they were recorded.
        retracted: How many arrivals were deleted.
        dirty: The messages of these, to be derived anew.
        touching: Whether there is a temporary table `touched` (m, ds), of what to judge anew from
            all arrivals.
    """

    fresh: Staged
    retracted: int
    dirty: pl.Series
    touching: bool


def record(
    connection: duckdb.DuckDBPyConnection,
    settled: Settled,
    policies: dict[str, Policy],
    latest_arrival: int,
) -> Recorded:
    """Put the batch's events in place of what they replace, and fill `touched`.

    `policies` are the parsed documents; `latest_arrival` (microseconds): no stored arrival is
    later.
    """
    touching = bool(settled.replaced) or any(
        len(getattr(settled.fresh, table)) for table, _ in _CHANGED.values()
    )
    if touching:
        connection.execute(sql("touched"))
    old = _retract(connection, settled)
    changed = {
        name: pl.concat([old[name], getattr(settled.fresh, table).select(columns)])
        for name, (table, columns) in _CHANGED.items()
    }
    with registered(connection, **{name: rows for name, rows in changed.items() if len(rows)}):
        for row in settled.fresh.policy.iter_rows(named=True):
            insert_policy(connection, row, policies[row["document"]])
        _insert(connection, settled.fresh, "declaration")
        _refresh_spans(connection, changed)
        if len(changed["changed_policy"]):
            _turn_old_hops(connection)
        fresh = _with_declassification(connection, settled.fresh)
        _insert(connection, fresh, "message", "hop", "consent_change")
        _touch(connection, changed, latest_arrival)
    if not touching:
        return Recorded(fresh, 0, pl.Series([], dtype=pl.Int64), touching)
    return Recorded(fresh, *_delete_dirty(connection), touching)


def touch_upgraded(
    connection: duckdb.DuckDBPyConnection, upgraded: Arrivals, recorded: Recorded
) -> bool:
    """Record that stored arrivals are identifiable after all; they are judged anew.

    Whether anything is in `touched`.
    """
    if len(upgraded):
        if not recorded.touching:
            connection.execute(sql("touched"))
        with registered(connection, upgraded=upgraded.frame()):
            connection.execute(sql("upgrade_arrival"))
            connection.execute("INSERT INTO touched SELECT m, ds FROM upgraded")
    elif not recorded.touching:
        return False
    ((found,),) = connection.execute("SELECT EXISTS (FROM touched)").fetchall()
    return bool(found)


def _retract(connection: duckdb.DuckDBPyConnection, settled: Settled) -> dict[str, pl.DataFrame]:
    """Delete the events that no longer count; what they held, and from when."""
    old = {
        name: getattr(settled.fresh, table).select(columns).clear()
        for name, (table, columns) in _CHANGED.items()
    }
    for table, numbers in settled.replaced.items():
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
        return [("hop", "n"), ("hop_input", "h"), ("hop_output", "h")]
    if table == "policy":
        return [("policy", "n"), ("policy_method", "policy"), ("policy_rule", "policy")]
    return [(name, "n") for name in (table, *CHILDREN.get(table, ()))]


def _insert(connection: duckdb.DuckDBPyConnection, fresh: Staged, *tables: str) -> None:
    for table in tables:
        for name in (table, *CHILDREN.get(table, ())):
            frame = getattr(fresh, name)
            if len(frame):
                with registered(connection, **{f"fresh_{name}": frame}):
                    connection.execute(sql(f"insert_{name}"))


def _refresh_spans(connection: duckdb.DuckDBPyConnection, changed: dict[str, pl.DataFrame]) -> None:
    if len(changed["changed_policy"]):
        connection.execute(sql("policy_span"))
    if len(changed["changed_declaration"]):
        connection.execute(sql("declaration_span"))


def _with_declassification(connection: duckdb.DuckDBPyConnection, fresh: Staged) -> Staged:
    """`fresh` with the column `declassifies` in its hops and their inputs."""
    claims = fresh.hop.filter(pl.col("method").is_not_null())
    found = pl.Series([], dtype=pl.Int64)
    if len(claims):
        with registered(connection, claim=claims):
            query = sql("declassifying").format(hops="FROM claim")
            found = connection.execute(query).pl()["n"]
    return replace(
        fresh,
        hop=fresh.hop.with_columns(declassifies=pl.col("n").is_in(found.implode())),
        hop_input=fresh.hop_input.with_columns(declassifies=pl.col("h").is_in(found.implode())),
    )


def _turn_old_hops(connection: duckdb.DuckDBPyConnection) -> None:
    """Derive anew what old hops carried that a changed policy makes declassify, or no more."""
    connection.execute(sql("changed_policy_span"))
    declassifying = sql("declassifying").format(hops="FROM examined")
    connection.execute(sql("turned").format(declassifying=declassifying))
    _carried_by(connection, "SELECT h FROM turned")
    for table, key in (("hop", "n"), ("hop_input", "h")):
        connection.execute(
            f"UPDATE core.{table} SET declassifies = t.declassifies FROM turned t "  # noqa: S608 -- names of ours
            f"WHERE core.{table}.{key} = t.h"
        )


def _carried_by(connection: duckdb.DuckDBPyConnection, hops: str) -> None:
    """Derive anew the messages that `hops`, a query for their numbers as h, carried."""
    connection.execute(
        f"INSERT INTO dirty SELECT DISTINCT a.m FROM core.arrival a JOIN ({hops}) USING (h)"  # noqa: S608 -- a query of ours
    )


def _touch(
    connection: duckdb.DuckDBPyConnection, changed: dict[str, pl.DataFrame], latest_arrival: int
) -> None:
    consents = changed["changed_consent"]
    since = consents["effective_at"].to_physical().min()
    if isinstance(since, int) and since <= latest_arrival:
        _touch_by_consent(connection, since)
    if len(changed["changed_declaration"]):
        connection.execute(sql("touched_by_declaration"))
    if len(changed["changed_policy"]):
        connection.execute(sql("touched_by_policy"))


def _touch_by_consent(connection: duckdb.DuckDBPyConnection, since: int) -> None:
    messages = connection.execute(sql("arrived_since"), {"since": since}).fetchnumpy()["m"]
    if len(messages):
        party = rows_near("core.message_party", "n", messages)
        query = sql("touched_by_consent").format(party=party)
        connection.execute(query, {"since": since})


def _delete_dirty(connection: duckdb.DuckDBPyConnection) -> tuple[int, pl.Series]:
    """Delete the arrivals of what is dirty: how many, and the messages."""
    dirty = connection.execute("SELECT DISTINCT m FROM dirty ORDER BY m").pl()["m"]
    if dirty.is_empty():
        return 0, dirty
    connection.execute(
        "INSERT INTO touched SELECT DISTINCT f.m, f.ds FROM core.flag f SEMI JOIN dirty USING (m)"
    )
    deleted = connection.execute("DELETE FROM core.arrival WHERE m IN (SELECT m FROM dirty)")
    ((count,),) = deleted.fetchall()
    return int(count), dirty
