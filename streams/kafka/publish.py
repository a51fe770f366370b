"""Publishes event logs to Kafka."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from types import TracebackType

from kafka import KafkaProducer
from kafka.errors import KafkaError

from lineage import codec
from lineage.codec.batch import DeadLetter
from lineage.codec.contract.events import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    RUN_REPORTED,
    EventType,
)
from streams.errors import PublishError
from streams.kafka.admin import connecting
from streams.kafka.connection import KafkaConnection
from streams.kafka.dead_letters.records import record
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.records import Header
from streams.kafka.registry.client import registry_at
from streams.kafka.registry.rest import Address
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, MESSAGE_BYTES_MAX, Topic, create_topics

__all__ = ["Published", "publish"]


@dataclass(frozen=True)
class Published:
    """The numbers of records that were sent, and acknowledged by the broker.

    events: how many to each topic. dead_letters: how many went to the dead-letter topic.
    topics: as they are in Kafka. notes: sentences for the person who asked.
    """

    events: Mapping[str, int]
    dead_letters: int
    topics: tuple[Topic, ...]
    notes: tuple[str, ...]


def publish(
    paths: Iterable[str | Path],
    broker: KafkaConnection | str,
    partitions: int | None = None,
    progress: Callable[[int], None] | None = None,
    registry_url: Address | str | None = None,
    replication_factor: int | None = None,
    limits: KafkaLimits = KAFKA_LIMITS,
) -> Published:
    """Send every event of the logs to its topic, and what breaks the contract to dead letters.

    broker: HOST:PORT of one that lets everybody in, or the connection to it.
    partitions, replication_factor: of the topics that are not there yet (None: DEFAULT_PARTITIONS,
    and the broker's own default).
    progress: gets the number of further records that the broker has acknowledged.
    registry_url: address of a Confluent schema registry, in which the events' schemas are
    registered and which the worker has to be given, too; None: the ids that ship with `schemas`.
    What concerns one thing keeps its order: messages by message, hops by the first record
    that they read, consents by member, declarations by dataset, policies by policy, reports by run.
    Records carry the present as their time: evidence of last year must not look old to a
    broker that deletes by age. Raises LogError, RegistryError, BrokerUnavailableError, TopicError,
    and PublishError if the broker did not acknowledge every record.
    """
    files = list(paths)
    # A wrong path, and a registry that is away, should be said before a topic is made.
    codec.log_files(files)
    connection = KafkaConnection.of(broker)
    registry = registry_at(registry_url, limits, connection.topic_prefix)
    for event_type in codec.INPUTS:
        registry.id_of(event_type)
    topics = create_topics(connection, partitions, replication_factor, limits)
    encoder = codec.Encoder(registry)
    counts: Counter[str] = Counter()
    letters = connection.topic(DEAD_LETTER_TOPIC)
    with _Sender(connection, progress, limits) as sender:
        for item in codec.read_events(files):
            if isinstance(item, DeadLetter):
                sender.send(letters, *record(item))
                counts[letters] += 1
            else:
                kind, event = item
                topic = connection.topic(kind.topic)
                sender.send(topic, _key(kind, event), encoder.encode(event))
                counts[topic] += 1
    dead_letters = counts.pop(letters, 0)
    return Published(counts, dead_letters, topics, _notes(topics, partitions))


def _notes(topics: tuple[Topic, ...], partitions: int | None) -> tuple[str, ...]:
    if partitions is None:
        return ()
    return tuple(
        f"the topic {topic.name} exists with {topic.partitions} partitions, not {partitions}; "
        "it was left as it is"
        for topic in topics
        if topic.partitions != partitions
    )


def _key(kind: EventType, event: Mapping[str, object]) -> bytes:
    if kind is RECORDS_MOVED:
        inputs = event["inputs"]
        # Hops that start from one record are read in the order they were sent in.
        key = min(inputs) if isinstance(inputs, list) else event["hop_id"]
    else:
        key = event[_KEYS[kind.name]]
    return str(key).encode(errors="replace")


_KEYS = {
    MESSAGE_SENT.name: "message_id",
    CONSENT_CHANGED.name: "member_id",
    DATASET_DECLARED.name: "dataset",
    POLICY_PUBLISHED.name: "policy_id",
    RUN_REPORTED.name: "run_id",
}


class _Sender:
    """A producer with backpressure: bounds what is under way, and checks every acknowledgement."""

    def __init__(
        self,
        connection: KafkaConnection,
        progress: Callable[[int], None] | None,
        limits: KafkaLimits,
    ) -> None:
        delivery_milliseconds = limits.delivery_seconds_max * 1000
        arguments = connection.arguments(
            KafkaProducer,
            bootstrap_timeout_ms=int(limits.connect_seconds_max * 1000),
            client_id="lineage-publish",
            acks="all",
            linger_ms=20,
            batch_size=256 * 1024,
            max_request_size=MESSAGE_BYTES_MAX,
            delivery_timeout_ms=delivery_milliseconds,
            request_timeout_ms=delivery_milliseconds // 2,
            max_block_ms=delivery_milliseconds,
            allow_auto_create_topics=False,
        )
        with connecting(connection):
            self._producer = KafkaProducer(**arguments)
        self._limits = limits
        self._bootstrap = connection.bootstrap
        self._progress = progress or (lambda records: None)
        self._changed = Condition()
        self._unacked_max = limits.unacked_records_max
        self._progress_records = limits.progress_records
        self._sent = 0
        self._acked = 0
        self._reported = 0
        self._error: BaseException | None = None

    def __enter__(self) -> _Sender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            failed = kind is not None or self._error is not None
            self._producer.close(timeout=0 if failed else self._limits.delivery_seconds_max)

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()
    ) -> None:
        """Hand over one record; waits where too many are under way."""
        if self._sent - self._acked >= self._unacked_max:
            self._wait(self._unacked_max // 2)
        elif self._sent % self._progress_records == 0:
            self._report_progress()
        if self._error is not None:
            raise self._failure() from self._error
        try:
            future = self._producer.send(topic, key=key, value=value, headers=[*headers])
        except KafkaError as error:
            self._error = error
            raise self._failure() from error
        self._sent += 1
        future.add_callback(self._on_ack)
        future.add_errback(self._on_error)

    def _on_ack(self, metadata: object) -> None:
        with self._changed:
            self._acked += 1
            self._changed.notify_all()

    def _on_error(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def _wait(self, unacked_max: int) -> None:
        # Progress is told as it is made, not only when all of it is.
        acked, moved_at = self._acked, time.monotonic()
        done = False
        while not done and self._error is None:
            with self._changed:
                done = self._changed.wait_for(
                    lambda: self._error is not None or self._sent - self._acked <= unacked_max, 0.2
                )
            self._report_progress()
            if self._acked != acked:
                acked, moved_at = self._acked, time.monotonic()
            elif time.monotonic() - moved_at > 2 * self._limits.delivery_seconds_max:
                self._error = TimeoutError("it went silent")

    def _finish(self) -> None:
        self._wait(0)
        if self._error is not None:
            raise self._failure() from self._error

    def _report_progress(self) -> None:
        acked = self._acked
        if acked > self._reported:
            self._progress(acked - self._reported)
            self._reported = acked

    def _failure(self) -> PublishError:
        return PublishError(
            f"the broker at {self._bootstrap} acknowledged {self._acked} of "
            f"{self._sent} records, then: {self._error}; what is sent twice counts once, so "
            "publish the whole log again when it is well"
        )
