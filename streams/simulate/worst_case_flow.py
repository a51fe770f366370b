"""Simulates the worst mix: every message goes through three hops of its own, one record each.

Nothing is batched, which is the most work a message that a tracker can be given.
"""

from __future__ import annotations

import polars as pl

from streams.simulate.world import company
from streams.simulate.world.events import DECLASSIFICATION
from streams.simulate.world.ids import uuid7
from streams.simulate.world.random_stream import below, stream_key

_HOPS = (
    ("copy-message", "COPY", company.ORIGIN, company.RAW),
    ("curate-message", "TRANSFORM", company.RAW, company.CURATED),
)
_EXPORT = ("export-message", "EXPORT", company.CURATED, company.SEARCH)


class WorstFlow:
    """The ordinary hops of a log, chunk by chunk.

    arrivals: how many there were so far, origins included.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.arrivals = 0

    def hops(self, messages: pl.DataFrame) -> list[pl.DataFrame]:
        """Return the RecordsMoved of a chunk: three a message, minutes apart, one frame a job.

        What may go to a third party goes there, the rest to the search index.
        """
        self.arrivals += 4 * messages.height
        public = ~pl.col("confidential") & pl.col("shareable")
        frames = []
        at = pl.col("sent_at")
        for job, operation, source, target in (*_HOPS, _EXPORT):
            wait = below(stream_key(self._seed, "wait", job), pl.col("index"), 9 * company.MINUTE)
            at = at + company.MINUTE + wait
            hop = messages.with_columns(moved_at=at, log_at=at)
            index = hop["index"]
            to: pl.Expr = pl.lit(target)
            if operation == "EXPORT":
                to = pl.when(public).then(pl.lit(company.TRANSLATION)).otherwise(to)
            frames.append(
                hop.select(
                    uuid7(hop["moved_at"], stream_key(self._seed, "hop", job), index).alias(
                        "hop_id"
                    ),
                    uuid7(hop["moved_at"], stream_key(self._seed, "run", job), index).alias(
                        "run_id"
                    ),
                    "moved_at",
                    "log_at",
                    job=pl.lit(job),
                    operation=pl.lit(operation),
                    source=pl.lit(source),
                    target=to,
                    inputs=pl.concat_list("message_id"),
                    outputs=pl.lit([], dtype=pl.List(pl.String)),
                    declassification=pl.lit(None, dtype=DECLASSIFICATION),
                )
            )
        return frames
