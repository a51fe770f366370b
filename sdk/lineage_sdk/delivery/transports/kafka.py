"""Sends events to Kafka, as `lineage publish` does: the same topics, values, keys, partitions."""

from __future__ import annotations

import ctypes
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ...contract.events import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    RECORDS_MOVED,
    RUN_REPORTED,
    EventType,
)
from ...contract.input_type import input_type
from ...errors import RefusedError, TransportError
from ..settings import topic_prefix
from .avro import wire_value

# What librdkafka says of every attempt: for those who want to hear it, and lower its level.
_log = logging.getLogger("lineage_sdk.kafka")
if _log.level == logging.NOTSET:
    _log.setLevel(logging.CRITICAL)
# As the topics take them.
_MESSAGE_BYTES_MAX = 16 << 20
_DELIVERY_SECONDS = 20
_SETTINGS = {
    "acks": "all",
    "enable.idempotence": True,  # the order of a partition stays where something is sent again
    "linger.ms": 10,
    "message.max.bytes": _MESSAGE_BYTES_MAX,
    "message.timeout.ms": _DELIVERY_SECONDS * 1000,
    "partitioner": "murmur2_random",  # that of Java's clients and of `lineage publish`
    # A topic that a broker makes by itself deletes its evidence after a week.
    "allow.auto.create.topics": False,
    "client.id": "lineage-sdk",
}
# What concerns one thing keeps its order.
_KEYS = {
    CONSENT_CHANGED.name: "member_id",
    DATASET_DECLARED.name: "dataset",
    RUN_REPORTED.name: "run_id",
}


class KafkaTransport:
    """A producer, made when there is something to send. settings: by librdkafka's names."""

    def __init__(self, address: str, settings: Mapping[str, str]) -> None:
        try:
            import confluent_kafka
        except ImportError as error:
            raise TransportError(
                "events to Kafka need confluent-kafka: pip install 'message-lineage-sdk[kafka]'"
            ) from error
        self._client = confluent_kafka
        self._prefix = topic_prefix(address)
        self._settings = {**_SETTINGS, **settings, "bootstrap.servers": urlsplit(address).netloc}
        self._producer: Any = None
        self._errors: list[Any] = []

    def send(self, lines: Sequence[bytes]) -> None:
        """Send events, and wait for the broker to have them all."""
        records = [self._record(line) for line in lines]
        producer = self._ready()
        self._errors.clear()
        for topic, key, value in records:
            self._produce(producer, topic, key, value)
        left = producer.flush(_DELIVERY_SECONDS + 5)
        if left or self._errors:
            failure = self._failure()
            self._give_up()
            raise failure

    def close(self) -> None:
        """Let go of the producer."""
        self._producer = None

    def forget(self) -> None:
        """Leave the producer as it is: without its threads, to end it would take for ever."""
        if self._producer is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._producer))
            self._producer = None

    def _ready(self) -> Any:  # noqa: ANN401 - a producer, of a package without types
        if self._producer is None:
            try:
                self._producer = self._client.Producer(self._settings, logger=_log)
            except self._client.KafkaException as error:
                # The settings: they hold passwords, so their values are not said.
                raise TransportError(f"the Kafka client refuses its settings: {error}") from error
        return self._producer

    def _record(self, line: bytes) -> tuple[str, bytes, bytes]:
        # Another version of the SDK, or a damaged disk, may have left what is no event here.
        try:
            value = json.loads(line)
            event = input_type(value)
            if isinstance(event, str):
                raise RefusedError(event)
            data, key = wire_value(event, value), key_of(event, value)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise RefusedError("a line of the spool is no event of this version") from error
        if len(data) > _MESSAGE_BYTES_MAX - 1024:
            raise RefusedError(
                f"{event.name} of {len(data):,} bytes is larger than its topic takes"
            )
        return f"{self._prefix}{event.topic}", key, data

    def _produce(self, producer: Any, topic: str, key: bytes, value: bytes) -> None:  # noqa: ANN401 - as above
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=self._on_delivery)
            except BufferError:
                producer.poll(0.1)
            except self._client.KafkaException as error:
                self._give_up()
                raise TransportError(str(error)) from error
            else:
                producer.poll(0)
                return

    def _on_delivery(self, error: Any, _message: object) -> None:  # noqa: ANN401 - as above
        if error is not None:
            self._errors.append(error)

    def _give_up(self) -> None:
        """Drop what is under way: it is sent again, by a producer of its own, in order."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(0)
            self._producer = None

    def _failure(self) -> TransportError:
        codes = {error.code() for error in self._errors}
        first = self._errors[0].str() if self._errors else "the broker does not answer"
        if codes and codes <= {self._client.KafkaError.MSG_SIZE_TOO_LARGE}:
            return RefusedError(first)
        return TransportError(first)


def key_of(event: EventType, value: Mapping[str, Any]) -> bytes:
    """Return the key of an event's record: hops by the first record that they read."""
    if event is RECORDS_MOVED:
        return str(min(value["inputs"])).encode(errors="replace")
    return str(value[_KEYS.get(event.name, event.id_field)]).encode(errors="replace")
