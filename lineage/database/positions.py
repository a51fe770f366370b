"""Positions in Kafka, kept with what was read up to them, and the identity of their topics."""

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
    """A topic beyond its name: Kafka gives one that is deleted and made anew another topic_id.

    Offsets mean the same records only in the same topic of the same cluster.
    """

    cluster_id: str
    topic_id: str


def stored_positions(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], int]:
    """Return (topic, partition) to the offset to go on from."""
    rows = connection.execute("FROM core.ingest_position").fetchall()
    return {(topic, partition): to for topic, partition, to in rows}


def record_positions(connection: duckdb.DuckDBPyConnection, positions: Positions) -> None:
    """Write all positions anew: they are few, and finding some takes longer."""
    rows = [(topic, partition, to) for (topic, partition), to in positions.items()]
    connection.execute("DELETE FROM core.ingest_position")
    frame = pl.DataFrame(rows, _POSITION, orient="row")
    execute_with(connection, insert(table("ingest_position"), "position"), position=frame)


def stored_identities(connection: duckdb.DuckDBPyConnection) -> dict[str, TopicIdentity]:
    """Return the identity of each topic whose positions are kept."""
    rows = connection.execute("FROM core.ingest_topic").fetchall()
    return {topic: TopicIdentity(cluster_id, topic_id) for topic, cluster_id, topic_id in rows}


def record_identities(
    connection: duckdb.DuckDBPyConnection, identities: Mapping[str, TopicIdentity]
) -> None:
    """Keep the identity of topics, in place of what was kept of them, in one transaction."""
    connection.execute("BEGIN")
    for topic, identity in identities.items():
        connection.execute("DELETE FROM core.ingest_topic WHERE topic = ?", [topic])
        row = [topic, identity.cluster_id, identity.topic_id]
        connection.execute("INSERT INTO core.ingest_topic VALUES (?, ?, ?)", row)
    connection.execute("COMMIT")
