"""Incremental maintenance: invalidates the stored arrivals and flags that a batch makes stale.

Most events only add: a message, a hop and their arrivals (`reach.fixpoint`). Some make earlier
results stale. There are two ways to bring these up to date, which must not be mixed up:

- **Rederive** (delete and rederive, DRed; Gupta, Mumick and Subrahmanian, 1993): where an event
  lost a conflict, or a policy changes which old hops declassify, the arrivals of each message that
  they carried are deleted here, and derived again from the message's origin. The routes of one
  message depend on no other message, so whole messages are the unit.
- **Rejudge**: where a consent, a declaration or a policy changes the facts as of stored arrivals,
  the arrivals stay, and the flags of each message in each dataset are derived again
  (`judge.rejudge`).

Both are looked up in the store by the instant from which the change holds: an event in order of
time is later than all that is stored, makes nothing stale, and costs nothing (`judge.watermarks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import NO_INTS, IntArray, distinct, int_array
from lineage.database.policies import insert_policy
from lineage.database.relations import execute_on, execute_with, write_with
from lineage.database.schema.ddl import insert
from lineage.database.schema.tables import table
from lineage.database.spans import DECLARATIONS, POLICIES, derive_spans
from lineage.database.statements import sql
from lineage.database.storage.pruning import rows_near
from lineage.judge.rejudge import Rejudge
from lineage.keys.keyed_batch import CHILDREN, KeyedBatch
from lineage.limits import Limits
from lineage.policy.parse import Policy
from lineage.reach.recorder import Recorder

_NEVER = np.iinfo(np.int64).max
# By table: the columns that tell for whom, and from when, an event changes the facts.
_CHANGED = {
    "consent_change": ["member", "effective_at"],
    "declaration": ["dataset", "declared_at"],
    "policy": ["effective_at"],
}
_DEPENDENT = {"policy": ("policy_method", "policy_rule"), "hop": ("unmatched_input",)}
_NO_RECORDS = pl.DataFrame(schema={"dataset": pl.Int64, "record": pl.Int64})
Changes = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Stale:
    """The stale results of earlier batches, once the events of a batch are recorded.

    Attributes:
        events: The events as they were recorded.
        rederive: The messages whose arrivals were deleted.
        retracted: The number of arrivals deleted.
        vacated: The records (dataset, record) of these, where their messages may not come again.
        rejudge: The pairs of message and dataset whose flags may change.
    """

    events: KeyedBatch
    rederive: IntArray
    retracted: int
    vacated: pl.DataFrame
    rejudge: Rejudge


def record(
    connection: duckdb.DuckDBPyConnection,
    batch: KeyedBatch,
    policies: Mapping[str, Policy],
    latest_arrival: int,
    recorder: Recorder,
    limits: Limits,
) -> Stale:
    """Record a batch's events in place of those that they replace; return the stale results.

    policies: the parsed documents. latest_arrival (microseconds): no stored arrival is later.
    """
    rejudge = Rejudge(connection, limits)
    stale, replaced = _delete_replaced(connection, batch)
    changes = {
        name: pl.concat([*replaced.get(name, ()), batch[name][columns]])
        for name, columns in _CHANGED.items()
    }
    for row in batch["policy"].iter_rows(named=True):
        insert_policy(connection, {**row, "recorded_at": recorder.at}, policies[row["document"]])
    _insert(connection, batch, "declaration")
    spans = _refresh_spans(connection, changes)
    stale.append(_redeclassify(connection, spans))
    events = _with_declassification(connection, batch)
    _insert(connection, events, "message", "hop", "consent_change", "run_report")
    _add_stale(connection, rejudge, changes, spans, latest_arrival)
    rederive = distinct(np.concatenate(stale))
    # Where nothing was replaced only a policy is new, by which messages come to the same records.
    vacated = _records(connection, rederive) if batch.replaced else _NO_RECORDS
    retracted = _retract(recorder, rederive, rejudge)
    return Stale(events, rederive, retracted, vacated, rejudge)


def _delete_replaced(
    connection: duckdb.DuckDBPyConnection, batch: KeyedBatch
) -> tuple[list[IntArray], dict[str, list[pl.DataFrame]]]:
    """Delete the stored events that no longer count.

    Returns the messages whose arrivals followed from these events, and by table the columns of
    `_CHANGED` of the events.
    """
    stale: list[IntArray] = [NO_INTS]
    changed: dict[str, list[pl.DataFrame]] = {}
    for name, keys in batch.replaced.items():
        replaced = pl.DataFrame({"id": keys})
        if name == "message":
            stale.append(keys)
        if name == "hop":
            stale.append(_carried(connection, replaced.rename({"id": "hop"})))
        if name in _CHANGED:
            columns = ", ".join(_CHANGED[name])
            query = f"SELECT {columns} FROM core.{name} SEMI JOIN replaced_event USING (id)"  # noqa: S608 -- names of ours
            found = execute_with(connection, query, replaced_event=replaced).pl()
            changed[name] = [found.cast(batch[name][_CHANGED[name]].schema)]
        for of, key in _tables_of(name):
            statement = f"DELETE FROM core.{of} WHERE {key} IN (SELECT id FROM replaced_event)"  # noqa: S608 -- names of ours
            execute_with(connection, statement, replaced_event=replaced)
    return stale, changed


def _tables_of(name: str) -> list[tuple[str, str]]:
    """Return the tables that hold an event of `name`, and the column that has its key."""
    children = [(child, table(child).key) for child in CHILDREN.get(name, ())]
    return [(name, "id"), *children, *((of, name) for of in _DEPENDENT.get(name, ()))]


def _insert(connection: duckdb.DuckDBPyConnection, batch: KeyedBatch, *names: str) -> None:
    for name in names:
        for of in (name, *CHILDREN.get(name, ())):
            rows = batch[of]
            if len(rows):
                write_with(connection, insert(table(of), "batch_row"), batch_row=rows)


def _refresh_spans(connection: duckdb.DuckDBPyConnection, changes: Changes) -> pl.DataFrame | None:
    """Derive the spans of declarations and policies again; return the changed spans of policies."""
    if len(changes["declaration"]):
        derive_spans(connection, DECLARATIONS)
    if changes["policy"].is_empty():
        return None
    derive_spans(connection, POLICIES)
    query = sql("judge/invalidate/changed_policy_span")
    return execute_with(connection, query, changed_policy=changes["policy"]).pl()


def _redeclassify(connection: duckdb.DuckDBPyConnection, spans: pl.DataFrame | None) -> IntArray:
    """Update the stored hops that by a changed policy declassify now, or no longer.

    Returns the messages that these hops carried.
    """
    if spans is None:
        return NO_INTS
    declassifying = sql("judge/invalidate/declassifying").format(hops="examined")
    query = sql("judge/invalidate/flipped_hop").format(declassifying=declassifying)
    flipped = execute_with(connection, query, changed_policy_span=spans).pl()
    if flipped.is_empty():
        return NO_INTS
    statement = (
        "UPDATE core.hop SET declassifies = f.declassifies FROM flipped_hop f "
        "WHERE core.hop.id = f.hop"
    )
    execute_with(connection, statement, flipped_hop=flipped)
    return _carried(connection, flipped)


def _carried(connection: duckdb.DuckDBPyConnection, hops: pl.DataFrame) -> IntArray:
    """Return the messages that hops (`hop`) carried."""
    found = execute_with(connection, sql("judge/invalidate/carried"), stale_hop=hops).fetchnumpy()
    messages: IntArray = found["message"]
    return messages


def _with_declassification(connection: duckdb.DuckDBPyConnection, batch: KeyedBatch) -> KeyedBatch:
    """Return the batch with the column `declassifies` in its hops."""
    hop = batch["hop"]
    declassifies = np.zeros(len(hop), dtype=np.bool_)
    if hop["method"].null_count() < len(hop):
        claims = hop.filter(pl.col("method").is_not_null())
        query = sql("judge/invalidate/declassifying").format(hops="claiming_hop")
        found = execute_with(connection, query, claiming_hop=claims).fetchnumpy()["id"]
        declassifies = np.isin(int_array(hop["id"]), found)
    return batch.with_rows("hop", hop.hstack([pl.Series("declassifies", declassifies)]))


def _add_stale(
    connection: duckdb.DuckDBPyConnection,
    rejudge: Rejudge,
    changes: Changes,
    spans: pl.DataFrame | None,
    latest_arrival: int,
) -> None:
    """Add to `rejudge` the arrivals within the time in which a change holds."""
    if _since(changes["consent_change"]) <= latest_arrival:
        _add_stale_by_consent(connection, rejudge, changes["consent_change"])
    if len(changes["declaration"]):
        query = sql("judge/invalidate/stale_by_declaration")
        rejudge.add(query, changed_declaration=changes["declaration"])
    if spans is not None:
        rejudge.add(sql("judge/invalidate/stale_by_policy"), changed_policy_span=spans)


def _add_stale_by_consent(
    connection: duckdb.DuckDBPyConnection, rejudge: Rejudge, changes: pl.DataFrame
) -> None:
    since = {"since": _since(changes)}
    messages = connection.execute(sql("judge/invalidate/arrived_since"), since).fetchnumpy()[
        "message"
    ]
    if len(messages):
        party = rows_near("core.message_party", "message", messages)
        query = sql("judge/invalidate/stale_by_consent").format(party=party)
        rejudge.add(query, since, changed_consent=changes)


def _since(consents: pl.DataFrame) -> int:
    """Return the earliest instant of changes of consent, in microseconds."""
    return int(int_array(consents["effective_at"]).min(initial=_NEVER))


def _records(connection: duckdb.DuckDBPyConnection, messages: IntArray) -> pl.DataFrame:
    """Return the records (dataset, record) that messages are in."""
    query = "SELECT DISTINCT dataset, record FROM {rows}"
    return execute_on(connection, messages, query, rows=("core.arrival", "message")).pl()


def _retract(recorder: Recorder, messages: IntArray, rejudge: Rejudge) -> int:
    """Retract all arrivals of messages, whose flags are judged anew; return their number."""
    if not len(messages):
        return 0
    rejudge.add(
        "SELECT DISTINCT message, dataset FROM core.flag SEMI JOIN stale_message USING (message)",
        stale_message=pl.DataFrame({"message": messages}),
    )
    return recorder.retract(messages)
