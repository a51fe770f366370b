"""Makes consumers that look at a few committed records of topics, without a group."""

from __future__ import annotations

from collections.abc import Callable

from kafka import KafkaConsumer
from kafka.errors import CorruptRecordError
from kafka.record import default_records

from streams.kafka.connection import KafkaConnection
from streams.kafka.fetch.unpack import UnpackError, unpacked
from streams.kafka.limits import KafkaLimits

__all__ = ["bound_gzip", "sampling_consumer"]

_GZIP = 1


def bound_gzip(limits: KafkaLimits) -> None:
    """Let kafka-python's consumers in this process unpack no more than the limit.

    It unpacks gzip alone: for the other codecs there is no library. A batch beyond it is as one
    that is damaged (CorruptRecordError).
    """
    default_records.gzip_decode = _gzip_decode(limits.unpacked_bytes_max)


def _gzip_decode(bytes_max: int) -> Callable[[bytes], bytes]:
    def decode(packed: bytes) -> bytes:
        try:
            return bytes(unpacked(_GZIP, packed, bytes_max))
        except UnpackError as error:
            raise CorruptRecordError(f"a batch {error}") from None

    return decode


def sampling_consumer(
    connection: KafkaConnection, client_id: str, fetch_bytes_max: int, limits: KafkaLimits
) -> KafkaConsumer:
    """Return a consumer of committed records that fetches so many bytes of a partition at a time.

    A larger record still comes through. An offset that Kafka has deleted leads to the first there
    is. Raises what kafka-python raises.
    """
    bound_gzip(limits)
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
