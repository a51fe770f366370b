"""Runs bytewax: one dataflow from Kafka to a sink, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from benchmarks.peers.decode import TOPICS, decode
from benchmarks.peers.start import Asked, asked
from benchmarks.peers.warehouse import Row, Warehouse

__all__ = ["main"]


class WarehousePartition(StatelessSinkPartition):  # type: ignore[misc]  # not there for mypy
    """The one writer."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def write_batch(self, items: list[list[Row]]) -> None:
        """Take rows."""
        for rows in items:
            self._warehouse.add(rows)

    def close(self) -> None:
        """Write the rest."""
        self._warehouse.close()


class WarehouseSink(DynamicSink):  # type: ignore[misc]  # not there for mypy
    """Writes rows into DuckDB."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def build(self, step_id: str, worker_index: int, worker_count: int) -> WarehousePartition:
        """Open it; there is one worker."""
        return WarehousePartition(self._warehouse)


def main() -> None:
    """Run until the end of all partitions."""
    run_main(_flow(asked()))


def _flow(told: Asked) -> Dataflow:
    job = told.job()

    def rows_of(records: list[KafkaSourceMessage]) -> Iterable[list[Row]]:
        return [job.rows(record.topic, decode(record.value)) for record in records]

    flow = Dataflow("peer")
    source = KafkaSource([told.bootstrap], list(TOPICS), tail=False, batch_size=10_000)
    records = op.input("kafka", flow, source)
    rows = op.flat_map_batch("trace", records, rows_of)
    op.output("duckdb", rows, WarehouseSink(told.warehouse()))
    return flow


if __name__ == "__main__":
    main()
