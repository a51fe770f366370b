"""Positions in Kafka, stored in the transaction of the events before them, and topic identities.

With a position goes the SHA-256 of the record before it: a topic that lost its tail, and was
written to beyond the position since, has another record there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from lineage.database.relations import execute_with
from lineage.database.schema.ddl import insert
from lineage.database.schema.tables import table

Positions = Mapping[tuple[str, int], int]
Hashes = Mapping[tuple[str, int], str]
_POSITION = {
    "topic": pl.String,
    "partition": pl.Int32,
    "next_offset": pl.Int64,
    "last_sha256": pl.String,
}


@dataclass(frozen=True)
class TopicIdentity:
    """The identity of a topic beyond its name: a topic deleted and made anew has another topic_id.

    Offsets mean the same records only in the same topic of the same cluster.
    """

    cluster_id: str
    topic_id: str


def stored_positions(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], int]:
    """Return the positions: (topic, partition) to the next offset."""
    query = "SELECT topic, partition, next_offset FROM core.ingest_position"
    return {(topic, partition): to for topic, partition, to in connection.execute(query).fetchall()}


def stored_hashes(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], str]:
    """Return the SHA-256 (hex) of the record before each position, where it is known."""
    query = "SELECT topic, partition, last_sha256 FROM core.ingest_position"
    rows = connection.execute(f"{query} WHERE last_sha256 IS NOT NULL").fetchall()
    return {(topic, partition): sha256 for topic, partition, sha256 in rows}


def record_positions(
    connection: duckdb.DuckDBPyConnection, positions: Positions, hashes: Hashes
) -> None:
    """Write all positions anew: there are few, and updating some of them takes longer.

    hashes: the SHA-256 of the record before a position, as far as they are known.
    """
    rows = [(*at, to, hashes.get(at)) for at, to in positions.items()]
    connection.execute("DELETE FROM core.ingest_position")
    frame = pl.DataFrame(rows, _POSITION, orient="row")
    execute_with(connection, insert(table("ingest_position"), "position"), position=frame)


def stored_identities(connection: duckdb.DuckDBPyConnection) -> dict[str, TopicIdentity]:
    """Return the identity of each topic that has positions."""
    rows = connection.execute("FROM core.ingest_topic").fetchall()
    return {topic: TopicIdentity(cluster_id, topic_id) for topic, cluster_id, topic_id in rows}


def record_identities(
    connection: duckdb.DuckDBPyConnection, identities: Mapping[str, TopicIdentity]
) -> None:
    """Record the identity of topics, in place of an older one, in one transaction."""
    connection.execute("BEGIN")
    for topic, identity in identities.items():
        connection.execute("DELETE FROM core.ingest_topic WHERE topic = ?", [topic])
        row = [topic, identity.cluster_id, identity.topic_id]
        connection.execute("INSERT INTO core.ingest_topic VALUES (?, ?, ?)", row)
    connection.execute("COMMIT")
