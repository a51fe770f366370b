"""Reach once more, as plainly as it can be said: whole tables, joined until nothing is new.

Naive evaluation in polars. It has none of the tracker's ideas: no surrogate keys, no batches, no
frontier, nothing remembered.
"""

from __future__ import annotations

import polars as pl

KEY = ["message_id", "hop_id", "dataset", "record_id"]
COLUMNS = [*KEY, "arrived_at", "identifiable"]


def plain_reach(messages: pl.DataFrame, hops: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
    """Return all arrivals in COLUMNS, ordered by KEY; the origins with hop_id null.

    messages: message_id, dataset, sent_at. hops: hop_id, source, target, moved_at, declassifies.
    moves: hop_id, input, output, one row for each pair of them.
    """
    origins = messages.select(
        "message_id",
        hop_id=pl.lit(None, pl.String),
        dataset="dataset",
        record_id="message_id",
        arrived_at="sent_at",
        identifiable=pl.lit(value=True),
    )
    moved = moves.join(hops, on="hop_id")
    arrivals = origins
    while True:
        carried = (
            arrivals.join(moved, left_on=["dataset", "record_id"], right_on=["source", "input"])
            .filter(pl.col("arrived_at") <= pl.col("moved_at"))
            .select(
                "message_id",
                hop_id="hop_id_right",
                dataset="target",
                record_id="output",
                arrived_at="moved_at",
                identifiable=pl.col("identifiable") & ~pl.col("declassifies"),
            )
        )
        found = (
            pl.concat([origins, carried])
            .group_by([*KEY, "arrived_at"])
            .agg(pl.col("identifiable").any())
        )
        found = found.select(COLUMNS).sort(KEY)
        if found.equals(arrivals):
            return found
        arrivals = found
