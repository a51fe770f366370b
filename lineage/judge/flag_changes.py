"""From breaches to flags: what stood before, what stands now, and what has changed by it."""

from __future__ import annotations

from datetime import datetime

import duckdb
import polars as pl

from lineage.database.relations import run_with
from lineage.database.statements import sql

_FLAG = ["rule", "m", "ds"]
# What of a flag the first breach says.
_OF_FIRST = ("severity", "message_id", "policy", "first_at", "first_hop")


def turn_anew(
    connection: duckdb.DuckDBPyConnection,
    breaches: pl.DataFrame,
    history_before: int,
    at: datetime | None,
) -> pl.DataFrame:
    """Put the flags of what is in the table `touched_part` (m, ds) anew.

    Returns what changed by it: rows of core.flag with `seq` and `status`.

    breaches: all of these, in the columns of `Judge.frame` with message_id and hop_id. The first
    breach (ties: the smaller hop id, the origin first) names hop, policy and severity.
    history_before: the last seq of core.flag_history; at: when, naive UTC.
    """
    standing = connection.execute(sql("judge/standing_flag").format(relation="touched_part")).pl()
    return _put(connection, standing, _flags(_single(breaches)), history_before, at)


def turn_more(
    connection: duckdb.DuckDBPyConnection,
    breaches: pl.DataFrame,
    history_before: int,
    at: datetime | None,
) -> pl.DataFrame:
    """Add further breaches to the flags that stand; the rest is as in `turn_anew`."""
    more = breaches.select("m", "ds").unique()
    standing = run_with(connection, more, sql("judge/standing_flag").format(relation="given")).pl()
    flags = _flags(pl.concat([_single(breaches), standing]))
    return _put(connection, standing, flags, history_before, at)


def _single(breaches: pl.DataFrame) -> pl.DataFrame:
    """Each breach as a flag of its own, in the columns of core.flag."""
    return breaches.select(
        *("rule", "severity", "m", "message_id", "ds", "policy"),
        first_at="arrived_at",
        last_at="arrived_at",
        arrivals=pl.lit(1, pl.Int64),
        first_hop="hop_id",
    )


def _flags(pieces: pl.DataFrame) -> pl.DataFrame:
    """Pieces of flags, put together."""
    flags = (
        pieces.sort("first_at", "first_hop")
        .group_by(_FLAG, maintain_order=True)
        .agg(pl.col(_OF_FIRST).first(), pl.col("last_at").max(), pl.col("arrivals").sum())
    )
    return flags.select(pieces.columns)


def _put(
    connection: duckdb.DuckDBPyConnection,
    standing: pl.DataFrame,
    flags: pl.DataFrame,
    history_before: int,
    at: datetime | None,
) -> pl.DataFrame:
    """Put flags in the place of those that stood, and keep what was raised and cleared."""
    if len(standing):
        run_with(connection, standing.select(_FLAG), sql("judge/delete_flag"))
    if len(flags):
        run_with(connection, flags, sql("judge/insert_flag"))
    changes = pl.concat(
        [
            flags.join(standing, on=_FLAG, how="anti").with_columns(status=pl.lit("RAISED")),
            standing.join(flags, on=_FLAG, how="anti").with_columns(status=pl.lit("CLEARED")),
        ]
    )
    changes = changes.sort("status", *_FLAG).with_row_index("seq", history_before + 1)
    if len(changes):
        run_with(connection, changes, sql("judge/insert_flag_history"), {"at": at})
    return changes
