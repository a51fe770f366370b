"""Makes consumers that look at a few committed records of topics, without a group."""

from __future__ import annotations

from kafka import KafkaConsumer

from streams.kafka.connection import KafkaConnection
from streams.kafka.limits import KafkaLimits

__all__ = ["sampling_consumer"]


def sampling_consumer(
    connection: KafkaConnection, client_id: str, fetch_bytes_max: int, limits: KafkaLimits
) -> KafkaConsumer:
    """Return a consumer of committed records that fetches so many bytes of a partition at a time.

    A larger record still comes through. An offset that Kafka has deleted leads to the first there
    is. Raises what kafka-python raises.
    """
    arguments = connection.arguments(
        KafkaConsumer,
        bootstrap_timeout_ms=int(limits.connect_seconds_max * 1000),
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    # A sample is small, whatever the records that are read for good may take.
    return KafkaConsumer(**{**arguments, "max_partition_fetch_bytes": fetch_bytes_max})
