"""Invalidate: which stored arrivals and flags a batch makes doubtful, and how they are mended.

Most events only add: a message, a hop and their arrivals (`reach.fixpoint`). Some change what was
derived before. They are mended in two ways, which must not be mixed up:

- Derive anew (delete and rederive, DRed; Gupta, Mumick and Subrahmanian, 1993): where an event lost
  a conflict, or a policy changes which old hops declassify, the arrivals of each message that they
  carried are deleted (`dirty`), and derived again from the message's origin. The routes of one
  message depend on no other message, so whole messages are the unit.
- Judge anew: where a consent, a declaration or a policy changes what holds as of stored arrivals,
  the arrivals stay, and the flags of each message in each dataset (`touched`) are put together
  again.

Both are asked of the store by the instant from which the change holds: what is in order of time is
later than all that is stored, touches nothing, and costs nothing (`judge.watermarks`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import int_array
from lineage.database.pruning import rows_near
from lineage.database.relations import run_with
from lineage.database.statements import sql
from lineage.keys.deduplicate import Settled
from lineage.keys.stage import CHILDREN, KeyedBatch
from lineage.policy.parse import Policy
from lineage.policy.store import insert_policy
from lineage.reach.fixpoint import Arrivals

_NEVER = np.iinfo(np.int64).max
# What an event may change, by its table: where and from when.
_CHANGED = {
    "consent_change": ["member", "effective_at"],
    "declaration": ["ds", "declared_at"],
    "policy": ["effective_at"],
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

    fresh: KeyedBatch
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
    touching = _may_touch(settled, latest_arrival)
    if touching:
        connection.execute(sql("judge/touched"))
    old = _retract(connection, settled)
    changed = {table: getattr(settled.fresh, table)[columns] for table, columns in _CHANGED.items()}
    changed |= {table: pl.concat([held, changed[table]]) for table, held in old.items()}
    for row in settled.fresh.policy.iter_rows(named=True):
        insert_policy(connection, row, policies[row["document"]])
    _insert(connection, settled.fresh, "declaration")
    _refresh_spans(connection, changed)
    if len(changed["policy"]):
        _turn_old_hops(connection, changed["policy"])
    fresh = _with_declassification(connection, settled.fresh)
    _insert(connection, fresh, "message", "hop", "consent_change")
    _touch(connection, changed, latest_arrival)
    if not settled.replaced and changed["policy"].is_empty():
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
            connection.execute(sql("judge/touched"))
        run_with(connection, upgraded.frame(), sql("judge/upgrade_arrival"))
        run_with(connection, upgraded.frame(), "INSERT INTO touched SELECT m, ds FROM given")
    elif not recorded.touching:
        return False
    ((found,),) = connection.execute("SELECT EXISTS (FROM touched)").fetchall()
    return bool(found)


def _may_touch(settled: Settled, latest_arrival: int) -> bool:
    """Whether any stored arrival may have to be judged or derived anew."""
    fresh = settled.fresh
    changed = settled.replaced or len(fresh.declaration) or len(fresh.policy)
    return bool(changed) or _since(fresh.consent_change) <= latest_arrival


def _since(consents: pl.DataFrame) -> int:
    """The instant of the earliest of some changes of consent, in microseconds."""
    return int(int_array(consents["effective_at"]).min(initial=_NEVER))


def _retract(connection: duckdb.DuckDBPyConnection, settled: Settled) -> dict[str, pl.DataFrame]:
    """Delete the events that no longer count; by table what they held, and from when."""
    old: dict[str, pl.DataFrame] = {}
    for table, replaced in settled.replaced.items():
        gone = pl.DataFrame({"n": replaced})
        if table == "message":
            run_with(connection, gone, "INSERT INTO dirty SELECT n FROM given")
        if table == "hop":
            run_with(connection, gone, _carried_by("SELECT n AS h FROM given"))
        if table in _CHANGED:
            query = (
                f"SELECT {', '.join(_CHANGED[table])} FROM core.{table} SEMI JOIN given USING (n)"  # noqa: S608 -- names of ours
            )
            held = run_with(connection, gone, query).pl()
            old[table] = held.cast(dict(getattr(settled.fresh, table)[_CHANGED[table]].schema))
        for name, key in _tables_of(table):
            run_with(
                connection,
                gone,
                f"DELETE FROM core.{name} WHERE {key} IN (SELECT n FROM given)",  # noqa: S608 -- names of ours
            )
    return old


def _tables_of(table: str) -> list[tuple[str, str]]:
    """The tables that hold an event of `table`, and the column that has its number."""
    if table == "hop":
        return [("hop", "n"), ("hop_input", "h"), ("hop_output", "h")]
    if table == "policy":
        return [("policy", "n"), ("policy_method", "policy"), ("policy_rule", "policy")]
    return [(name, "n") for name in (table, *CHILDREN.get(table, ()))]


def _insert(connection: duckdb.DuckDBPyConnection, fresh: KeyedBatch, *tables: str) -> None:
    for table in tables:
        for name in (table, *CHILDREN.get(table, ())):
            frame = getattr(fresh, name)
            if len(frame):
                run_with(connection, frame, sql(f"database/insert_{name}"))


def _refresh_spans(connection: duckdb.DuckDBPyConnection, changed: dict[str, pl.DataFrame]) -> None:
    if len(changed["policy"]):
        connection.execute(sql("database/policy_span"))
    if len(changed["declaration"]):
        connection.execute(sql("judge/declaration_span"))


def _with_declassification(connection: duckdb.DuckDBPyConnection, fresh: KeyedBatch) -> KeyedBatch:
    """`fresh` with the column `declassifies` in its hops."""
    hop = fresh.hop
    declassifies = np.zeros(len(hop), dtype=np.bool_)
    if hop["method"].null_count() < len(hop):
        claims = hop.filter(pl.col("method").is_not_null())
        query = sql("judge/declassifying").format(hops="FROM given")
        found = run_with(connection, claims, query).fetchnumpy()["n"]
        declassifies = np.isin(int_array(hop["n"]), found)
    return replace(fresh, hop=hop.hstack([pl.Series("declassifies", declassifies)]))


def _turn_old_hops(connection: duckdb.DuckDBPyConnection, policies: pl.DataFrame) -> None:
    """Derive anew what old hops carried that a changed policy makes declassify, or no more."""
    run_with(connection, policies, sql("judge/changed_policy_span"))
    declassifying = sql("judge/declassifying").format(hops="FROM examined")
    connection.execute(sql("judge/turned").format(declassifying=declassifying))
    connection.execute(_carried_by("SELECT h FROM turned"))
    connection.execute(
        "UPDATE core.hop SET declassifies = t.declassifies FROM turned t WHERE core.hop.n = t.h"
    )


def _carried_by(hops: str) -> str:
    """A statement to derive anew the messages that `hops`, a query for their numbers, carried."""
    return f"INSERT INTO dirty SELECT DISTINCT a.m FROM core.arrival a JOIN ({hops}) USING (h)"  # noqa: S608 -- a query of ours


def _touch(
    connection: duckdb.DuckDBPyConnection, changed: dict[str, pl.DataFrame], latest_arrival: int
) -> None:
    if _since(changed["consent_change"]) <= latest_arrival:
        _touch_by_consent(connection, changed["consent_change"])
    if len(changed["declaration"]):
        run_with(connection, changed["declaration"], sql("judge/touched_by_declaration"))
    if len(changed["policy"]):
        connection.execute(sql("judge/touched_by_policy"))


def _touch_by_consent(connection: duckdb.DuckDBPyConnection, changes: pl.DataFrame) -> None:
    since = {"since": _since(changes)}
    messages = connection.execute(sql("judge/arrived_since"), since).fetchnumpy()["m"]
    if len(messages):
        party = rows_near("core.message_party", "n", messages)
        run_with(connection, changes, sql("judge/touched_by_consent").format(party=party), since)


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
