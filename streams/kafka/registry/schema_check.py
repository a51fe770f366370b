"""Refuses a start with a registry in which the topics' schema ids mean something else.

A schema id says nothing about the registry that gave it. Read with another one, every value of a
topic would become a dead letter, and its position would be passed.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CorruptRecordError, KafkaError, KafkaTimeoutError

from lineage.codec.avro.logical_types import OtherRecordError, UnreadableSchemaError
from lineage.codec.avro.resolution import resolve
from lineage.codec.contract.events import EventType, by_topic
from lineage.codec.errors import NotAvroError, UnknownSchemaError
from lineage.codec.registry import Registry
from streams.errors import SchemaIdError, TopicError
from streams.kafka.admin import connecting
from streams.kafka.connection import KafkaConnection
from streams.kafka.fetch.consumer import sampling_consumer
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.topics.topics import INPUT_TOPICS

__all__ = ["check_schema_ids", "other_meaning"]

logger = logging.getLogger(__name__)

_HEADER_BYTES = 5

Window = tuple[int, int]
"""Offsets of a partition: the first, and the one after the last."""


def check_schema_ids(
    broker: KafkaConnection | str,
    registry: Registry,
    starts: Mapping[tuple[str, int], int],
    limits: KafkaLimits = KAFKA_LIMITS,
) -> None:
    """Raise SchemaIdError where no sampled value of a topic can be read with its known schema id.

    starts: the first offset to be read, by topic and partition; a partition with nothing to read
    from there on is passed over. Ids that the registry does not know say nothing, and neither
    do stray values among good ones: both become dead letters. A second look, at more places,
    comes before a refusal; each look takes at most about `schema_check_seconds_max`, and what
    could not be looked at in time is not refused but logged.

    Raises BrokerUnavailableError and TopicError where the topics cannot be read, RegistryError
    where the registry is away.
    """
    connection = KafkaConnection.of(broker)
    topics = connection.topics(INPUT_TOPICS)
    wanted = {TopicPartition(*at): start for at, start in starts.items() if at[0] in topics}
    if not wanted:
        return
    with connecting(connection):
        consumer = sampling_consumer(
            connection, "lineage-schema-check", limits.sample_fetch_bytes_max, limits
        )
    try:
        with closing(consumer):
            _Check(consumer, registry, wanted, limits).run()
    except CorruptRecordError:
        logger.warning(
            "the schema ids were not checked: a record has a header whose name is not UTF-8, or is "
            "damaged, or packed to a small part of its size"
        )
    except KafkaTimeoutError:
        logger.warning("the schema ids were not checked: the broker did not answer in time")
    except KafkaError as error:
        raise TopicError(f"the broker does not give the topics to be read: {error}") from error


@dataclass
class _Sample:
    """A sample of a topic: how often each header was seen, and whether all was read in time."""

    headers: Counter[bytes] = field(default_factory=Counter)
    whole: bool = True


@dataclass(frozen=True)
class _OtherSchema:
    """An id that means something else: its schema, in words."""

    schema_id: int
    what: str


class _Check:
    """One check: samples, and what they come to. wanted: the first offset of each partition."""

    def __init__(
        self,
        consumer: KafkaConsumer,
        registry: Registry,
        wanted: Mapping[TopicPartition, int],
        limits: KafkaLimits,
    ) -> None:
        self._consumer = consumer
        self._registry = registry
        self._limits = limits
        self._seconds_max = limits.schema_check_seconds_max
        timeout_ms = int(self._seconds_max * 1000)
        self._begins = consumer.beginning_offsets(list(wanted), timeout_ms)
        # Of what is committed: nothing is read beyond an open transaction.
        ends = consumer.end_offsets(list(wanted), timeout_ms)
        self._unread = {
            at: (max(start, self._begins[at]), ends[at])
            for at, start in wanted.items()
            if max(start, self._begins[at]) < ends[at]
        }
        self._samples: defaultdict[str, _Sample] = defaultdict(_Sample)

    def run(self) -> None:
        """Raise SchemaIdError for the first topic, by name, that cannot be read."""
        records = self._limits.sampled_records_max
        self._look([_first(self._unread, records), _last(self._unread, records)])
        suspects = {topic for topic in self._samples if self._other(topic) is not None}
        if not suspects:
            return
        self._look(self._more_places(suspects))
        for topic in sorted(suspects):
            other = self._other(topic)
            if other is None:
                continue
            if self._samples[topic].whole:
                raise SchemaIdError(_sentence(topic, other, self._registry))
            logger.warning(
                "the schema ids of %s could not be checked in %g s; it holds values with schema "
                "id %d, for which %s has a schema that %s",
                topic, self._seconds_max, other.schema_id, self._registry, other.what,
            )  # fmt: skip

    def _more_places(self, topics: Iterable[str]) -> list[dict[TopicPartition, Window]]:
        """Return places in between; and what was read before, where little is left to be read."""
        chosen = {at: window for at, window in self._unread.items() if at.topic in topics}
        unread: Counter[str] = Counter()
        for at, (first, end) in chosen.items():
            unread[at.topic] += end - first
        records = self._limits.sampled_records_max
        between = [
            {
                at: (place, min(place + records, end))
                for at, (first, end) in chosen.items()
                if end - first > 2 * records
                for place in [first + (end - first) * quarter // 4]
            }
            for quarter in (1, 2, 3)
        ]
        before = {
            at: (max(first - records, self._begins[at]), first)
            for at, (first, _) in chosen.items()
            if unread[at.topic] <= self._limits.few_records_max and first > self._begins[at]
        }
        return [*between, before]

    def _look(self, places: Iterable[Mapping[TopicPartition, Window]]) -> None:
        """Add what is at the places to the samples."""
        deadline = time.monotonic() + self._seconds_max
        for windows in places:
            for at in self._read(windows, deadline):
                self._samples[at.topic].whole = False

    def _read(
        self, windows: Mapping[TopicPartition, Window], deadline: float
    ) -> set[TopicPartition]:
        """Read each window until it is done; the partitions where it was not done in time."""
        consumer, limits = self._consumer, self._limits
        records_max = limits.sampled_records_max
        consumer.assign(list(windows))
        for at, (first, _) in windows.items():
            consumer.seek(at, first)
        left = set(windows)
        seen: Counter[TopicPartition] = Counter()
        size: Counter[TopicPartition] = Counter()
        while left and time.monotonic() < deadline:
            polled = consumer.poll(100, max_records=records_max)
            for at, records in polled.items():
                for record in records:
                    if at in left and record.offset < windows[at][1] and seen[at] < records_max:
                        seen[at] += 1
                        size[at] += len(record.value or b"")
                        self._note(at.topic, record.value)
            ends = {at: records[-1].offset + 1 for at, records in polled.items()}
            if not polled:  # what is left may be marks of transactions, which are no records
                ends = {at: consumer.position(at) for at in left}
            done = {
                at
                for at, end in ends.items()
                if seen[at] >= records_max
                or size[at] >= limits.sampled_bytes_max
                or end >= windows[at][1]
            } & left
            if done:
                left -= done
                # Not paused: what the client keeps of a paused partition can block it for good.
                consumer.assign(list(left))
        return left

    def _note(self, topic: str, value: bytes | None) -> None:
        if value is not None and len(value) >= _HEADER_BYTES and value[0] == 0:
            self._samples[topic].headers[value[:_HEADER_BYTES]] += 1

    def _other(self, topic: str) -> _OtherSchema | None:
        """Return the most frequent id that means something else, if no value can be read."""
        found: _OtherSchema | None = None
        headers = self._samples[topic].headers.most_common()
        if len(headers) > self._limits.schema_ids_max:
            return None
        for header, _ in headers:
            schema_id = int.from_bytes(header[1:], "big")
            try:
                meant = other_meaning(by_topic(topic), self._registry, schema_id)
            except UnknownSchemaError:
                continue
            if meant is None:
                return None
            found = found or _OtherSchema(schema_id, meant)
        return found


def _first(unread: Mapping[TopicPartition, Window], records: int) -> dict[TopicPartition, Window]:
    return {at: (first, min(first + records, end)) for at, (first, end) in unread.items()}


def _last(unread: Mapping[TopicPartition, Window], records: int) -> dict[TopicPartition, Window]:
    return {
        at: (max(first + records, end - records), end)
        for at, (first, end) in unread.items()
        if end - first > records
    }


def other_meaning(event: EventType, registry: Registry, schema_id: int) -> str | None:
    """Say which schema an id has instead of the event's; None if it is the event's.

    The text is such as "is of RecordsMoved, not of MessageSent". A schema of the event is one even
    if it cannot be read as the event's present schema. Raises UnknownSchemaError where the registry
    has no such id, RegistryError where the registry is away.
    """
    try:
        resolve(event, registry.schema_of(schema_id))
    except NotAvroError:
        return "is not an Avro schema"
    except OtherRecordError as error:
        return str(error).removeprefix("it ")
    except UnreadableSchemaError:
        return None  # its values are dead letters, each with the reason
    return None


def _sentence(topic: str, other: _OtherSchema, registry: Registry) -> str:
    return (
        f"the values in {topic} have schema id {other.schema_id}, but the schema that {registry} "
        f"has under it {other.what}; start with the registry that they were written with "
        "(--registry-url or LINEAGE_REGISTRY_URL), or without one if they were written without; or "
        "publish the log again with this one: what is sent twice counts once"
    )
