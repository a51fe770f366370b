"""Runs quixstreams: a streaming dataframe a topic, and a batching sink that all of them share."""

from __future__ import annotations

from typing import Any

from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch

from benchmarks.peers.decode import TOPICS, decode
from benchmarks.peers.start import asked
from benchmarks.peers.warehouse import Row, Warehouse

__all__ = ["main"]


class DuckDBSink(BatchingSink):  # type: ignore[misc]  # of a library that is not there for mypy
    """Writes what was collected at each checkpoint."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__()
        self._warehouse = warehouse

    def write(self, batch: SinkBatch) -> None:
        """Take the rows of one partition."""
        for item in batch:
            self._warehouse.add(item.value)

    def flush(self) -> None:
        """Write all partitions' rows."""
        super().flush()
        self._warehouse.flush()


def main() -> None:
    """Run."""
    told = asked()
    app = Application(
        told.bootstrap,
        consumer_group="peer-quix",
        auto_offset_reset="earliest",
        loglevel="WARNING",
        auto_create_topics=False,
    )
    job, warehouse = told.job(), told.warehouse()
    sink = DuckDBSink(warehouse)
    for name in TOPICS:
        _flow(app, name, job.rows, sink)
    # Each record comes to one list of rows, so as many outputs as records.
    app.run(count=told.records, collect=False)
    warehouse.close()


def _flow(app: Any, name: str, rows: Any, sink: DuckDBSink) -> None:  # noqa: ANN401 - see DuckDBSink
    topic = app.topic(name, value_deserializer="bytes", key_deserializer="bytes")

    def rows_of(value: bytes) -> list[Row]:
        found: list[Row] = rows(name, decode(value))
        return found

    app.dataframe(topic).apply(rows_of).sink(sink)


if __name__ == "__main__":
    main()
