"""Flags: updates the standing flags with breaches, and returns the changes."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import polars as pl

from lineage.database.relations import execute_with
from lineage.database.statements import sql
from lineage.judge.breaches import BreachPart

_FLAG = ["rule", "message", "dataset"]
# The columns that a flag takes from its first breach.
_OF_FIRST = ("severity", "message_id", "policy", "first_at", "first_hop", "hop", "declaration")
# The columns that a standing flag can change.
_VALUES = [name for name in (*_OF_FIRST, "last_at", "arrivals") if name != "message_id"]


def update(
    connection: duckdb.DuckDBPyConnection,
    parts: Iterable[BreachPart],
    seq: int,
) -> list[pl.DataFrame]:
    """Update the flags with breaches; return the flags raised, cleared and updated, in parts.

    seq: the last seq of core.flag_history. The parts have the columns of core.flag with `seq` and
    `status`. The hop, policy and severity of a flag are those of its first breach (ties: the
    smaller hop id, the origin first).
    """
    changes: list[pl.DataFrame] = []
    for part in parts:
        pairs = (
            part.rows.select("message", "dataset").unique() if part.pairs is None else part.pairs
        )
        standing = execute_with(
            connection, sql("judge/flags/standing_flag"), judged_pair=pairs
        ).pl()
        pieces = _single(part.rows)
        if part.pairs is None:
            pieces = pl.concat([pieces, standing])
        changed = _replace(connection, standing, _merged(pieces), seq)
        if len(changed):
            changes.append(changed)
            seq += len(changed)
    return changes


def flags_of(breaches: pl.DataFrame) -> pl.DataFrame:
    """Return the flags that breaches come to, in the columns of core.flag."""
    return _merged(_single(breaches))


def _single(breaches: pl.DataFrame) -> pl.DataFrame:
    """Return each breach as a flag of its own, in the columns of core.flag."""
    return breaches.select(
        *("rule", "severity", "message", "message_id", "dataset", "policy"),
        first_at="arrived_at",
        last_at="arrived_at",
        arrivals=pl.lit(1, pl.Int64),
        first_hop="hop_id",
        hop="hop",
        declaration="declaration",
    )


def _merged(pieces: pl.DataFrame) -> pl.DataFrame:
    """Merge the pieces of each flag."""
    flags = (
        pieces.sort("first_at", "first_hop")
        .group_by(_FLAG, maintain_order=True)
        .agg(pl.col(_OF_FIRST).first(), pl.col("last_at").max(), pl.col("arrivals").sum())
    )
    return flags.select(pieces.columns)


def _replace(
    connection: duckdb.DuckDBPyConnection,
    standing: pl.DataFrame,
    flags: pl.DataFrame,
    seq: int,
) -> pl.DataFrame:
    """Replace the standing flags; record, and return, the changes."""
    if len(standing):
        execute_with(
            connection, sql("judge/flags/delete_flag"), standing_flag=standing.select(_FLAG)
        )
    if len(flags):
        execute_with(connection, sql("judge/flags/insert_flag"), changed_flag=flags)
    changes = _changes(standing, flags)
    if len(changes):
        changes = changes.sort("status", *_FLAG).with_row_index("seq", seq + 1)
        execute_with(connection, sql("judge/flags/insert_flag_history"), flag_change=changes)
    return changes


def _changes(standing: pl.DataFrame, flags: pl.DataFrame) -> pl.DataFrame:
    """Return how flags differ from those that stood, in the columns of core.flag and `status`."""
    if standing.is_empty():  # as nearly always
        return _with_status(flags, "RAISED")
    kept = flags.join(standing, on=_FLAG, how="semi")
    parts = {
        "RAISED": flags.join(standing, on=_FLAG, how="anti"),
        "CLEARED": standing.join(flags, on=_FLAG, how="anti"),
        "UPDATED": kept.join(standing, on=[*_FLAG, *_VALUES], how="anti"),
    }
    return pl.concat([_with_status(part, status) for status, part in parts.items()])


def _with_status(flags: pl.DataFrame, status: str) -> pl.DataFrame:
    return flags.hstack([pl.Series("status", [status]).new_from_index(0, len(flags))])
