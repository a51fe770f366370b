"""Positions in Kafka, stored in the transaction of the events before them, and topic identities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from lineage.database.ddl import insert
from lineage.database.relations import execute_with
from lineage.database.tables import table

Positions = Mapping[tuple[str, int], int]
_POSITION = {"topic": pl.String, "partition": pl.Int32, "next_offset": pl.Int64}


@dataclass(frozen=True)
class TopicIdentity:
    """The identity of a topic beyond its name: a topic deleted and made anew has another topic_id.

    Offsets mean the same records only in the same topic of the same cluster.
    """

    cluster_id: str
    topic_id: str


def stored_positions(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], int]:
    """Return the positions: (topic, partition) to the next offset."""
    rows = connection.execute("FROM core.ingest_position").fetchall()
    return {(topic, partition): to for topic, partition, to in rows}


def record_positions(connection: duckdb.DuckDBPyConnection, positions: Positions) -> None:
    """Write all positions anew: there are few, and updating some of them takes longer."""
    rows = [(topic, partition, to) for (topic, partition), to in positions.items()]
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
