"""Which events of a batch are new: repeats change nothing, and of a conflict one version counts.

An event is known by its type and its id. The same id with other content is a conflict: every
version is kept, and the one with the smallest SHA-256 of its canonical JSON counts, so that the
order of coming does not matter.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import Numbers
from lineage.interning import registered
from lineage.sql import sql
from lineage.staging import CHILDREN, Staged
from schemas import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    Batch,
    EventType,
    canonical_json,
)

# Table of the store -> its type of event, and where a batch has its rows and those of its children.
_TYPES: dict[str, tuple[EventType, str, tuple[str, ...]]] = {
    "message": (MESSAGE_SENT, "messages", ("parties",)),
    "hop": (RECORDS_MOVED, "hops", ("hop_inputs", "hop_outputs")),
    "consent_change": (CONSENT_CHANGED, "consent_changes", ()),
    "declaration": (DATASET_DECLARED, "declarations", ()),
    "policy": (POLICY_PUBLISHED, "policies", ()),
}
IDENTIFIED = tuple(_TYPES)
_NOT_CONTENT = ("row", "read_from", "partition", "position", "n")


@dataclass(frozen=True)
class Settled:
    """What a batch changes in the record of events.

    Attributes:
        fresh: The events to insert.
        replaced: For each table the numbers of events whose stored version no longer counts;
            `fresh` holds the version that does.
    """

    fresh: Staged
    replaced: dict[str, Numbers] = field(default_factory=dict)


def settle(connection: duckdb.DuckDBPyConnection, batch: Batch, staged: Staged) -> Settled:
    """Tell new events from repeats and conflicts; conflicts are recorded here."""
    kept, replaced = {}, {}
    for table in _TYPES:
        frame = getattr(staged, table)
        known = _stored(connection, table, frame["n"], staged.first_new)
        again = frame["n"].is_duplicated() | frame["n"].is_in(known.implode())
        if again.any():
            collision = _Collision(connection, table, batch, frame.filter(again))
            rows, replaced[table] = collision.resolve()
            kept[table] = np.append(frame.filter(~again)["row"].to_numpy(), rows)
    return Settled(staged.only(kept) if kept else staged, replaced)


def _stored(
    connection: duckdb.DuckDBPyConnection, table: str, numbers: pl.Series, first_new: int
) -> pl.Series:
    """Those of `numbers` that `table` holds."""
    candidates = numbers.filter(numbers < first_new).unique()
    if candidates.is_empty():
        return candidates
    with registered(connection, colliding=pl.DataFrame({"n": candidates})):
        found = connection.execute(
            f"SELECT n FROM core.{table} SEMI JOIN colliding USING (n)"  # noqa: S608 -- a table name of ours
        ).fetchnumpy()
    return pl.Series(found["n"], dtype=pl.Int64)


class _Collision:
    """Events of one type whose ids come more than once, in the batch or with the store."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, batch: Batch, rows: pl.DataFrame
    ) -> None:
        self._connection = connection
        self._table = table
        self._event, frame, children = _TYPES[table]
        wanted = rows["row"].implode()
        self._incoming = [
            getattr(batch, name).filter(pl.col("row").is_in(wanted)) for name in (frame, *children)
        ]
        self._numbers = rows.select("row", "n")
        with registered(connection, colliding=rows.select("n").unique()):
            self._stored = [
                connection.execute(sql(f"stored_{name}")).pl()
                for name in (table, *CHILDREN.get(table, ()))
            ]
            disputed = connection.execute(
                "SELECT DISTINCT n FROM core.conflict SEMI JOIN colliding USING (n) "
                "WHERE event = ?",
                [self._event.name],
            ).fetchnumpy()["n"]
        self._disputed = pl.Series(disputed, dtype=pl.Int64).implode()

    def resolve(self) -> tuple[Numbers, Numbers]:
        """The rows of the batch that count, and the numbers whose stored version does not."""
        incoming = contents(self._incoming).join(self._numbers, on="row")
        stored = contents(self._stored).with_columns(n=pl.col("row").cast(pl.Int64))
        number = pl.col("row").cast(pl.Int64)
        both = pl.concat(
            [
                stored.select("n", number, "content", stored=pl.lit(True)),
                incoming.select("n", number, "content", stored=pl.lit(False)),
            ]
        )
        versions = both.group_by("n").agg(
            pl.col("content").n_unique().alias("versions"), pl.col("stored").any()
        )
        conflicting = (pl.col("versions") > 1) | pl.col("n").is_in(self._disputed)
        repeats = versions.filter(~conflicting & ~pl.col("stored"))["n"].implode()
        first = (
            incoming.filter(pl.col("n").is_in(repeats))
            .unique("n", keep="first", maintain_order=True)["row"]
            .to_list()
        )
        replaced = []
        for n in versions.filter(conflicting)["n"].to_list():
            row, was_stored = self._settle_conflict(
                n, both.filter(pl.col("n") == n).unique("content", maintain_order=True)
            )
            if row is not None:
                first.append(row)
                if was_stored:
                    replaced.append(n)
        return np.array(first, dtype=np.uint32), np.array(replaced, dtype=np.int64)

    def _settle_conflict(self, n: int, versions: pl.DataFrame) -> tuple[int | None, bool]:
        """Record every version; the row of the batch that now counts, if it is one of them."""
        rows_by_sha: dict[str, tuple[int | None, str]] = {}
        for row, is_stored in versions.select("row", "stored").rows():
            frames = self._stored if is_stored else self._incoming
            text = canonical_json(self._event, as_event(self._event, frames, row))
            sha = hashlib.sha256(text).hexdigest()
            rows_by_sha.setdefault(sha, (None if is_stored else row, text.decode()))
        earlier = self._connection.execute(
            "SELECT sha256, content FROM core.conflict WHERE event = ? AND n = ?",
            [self._event.name, n],
        ).fetchall()
        for sha, text in earlier:
            rows_by_sha.setdefault(sha, (None, text))
        counting = min(rows_by_sha)
        if len(rows_by_sha) > 1:
            self._record(n, {sha: text for sha, (_, text) in rows_by_sha.items()}, counting)
        was_stored = bool(versions["stored"].any())
        row, _ = rows_by_sha[counting]
        return row, was_stored

    def _record(self, n: int, texts: dict[str, str], counting: str) -> None:
        self._connection.execute(
            "DELETE FROM core.conflict WHERE event = ? AND n = ?", [self._event.name, n]
        )
        self._connection.executemany(
            "INSERT INTO core.conflict VALUES (?, ?, ?, ?, ?)",
            [[self._event.name, n, sha, text, sha == counting] for sha, text in texts.items()],
        )


def contents(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """`row` and `content`, a text that is equal for two events exactly if their content is."""
    parent, *children = frames
    joined = parent
    for i, child in enumerate(children):
        values = [name for name in sorted(child.columns) if name not in _NOT_CONTENT]
        lists = (
            child.sort("row", *(["ordinal"] if "ordinal" in values else values))
            .group_by("row", maintain_order=True)
            .agg(pl.struct(values).alias(f"child{i}"))
        )
        joined = joined.join(lists, on="row", how="left")
    values = [name for name in sorted(joined.columns) if name not in _NOT_CONTENT]
    return joined.select("row", content=pl.struct(values).struct.json_encode())


def as_event(event: EventType, frames: list[pl.DataFrame], row: int) -> dict[str, object]:
    """The event of one row of a batch's frames (the event's own, then its children's)."""
    parent, *children = (frame.filter(pl.col("row") == row) for frame in frames)
    instants = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
    values = parent.with_columns(instants).row(0, named=True)
    value = {name: v for name, v in values.items() if name not in _NOT_CONTENT}
    if event is MESSAGE_SENT:
        parties = children[0].sort("ordinal").drop("row", "ordinal")
        value["parties"] = parties.to_dicts()
    if event is RECORDS_MOVED:
        value["inputs"], value["outputs"] = (child["record_id"].to_list() for child in children)
        method, k = value.pop("method"), value.pop("k")
        value["declassification"] = None if method is None else {"method": method, "k": k}
    return {"event": event.name, **value}
