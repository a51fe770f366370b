"""Reads the dead-letter topic: each dead letter once, and where those that were replayed went.

A dead letter that was sent back to its source is followed by a record with the same key, no value,
and the header replayed-to. A key may come several times: at least once is what the topic promises.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from lineage.codec.batch import DeadLetter
from streams.errors import BrokerUnavailableError, TopicError
from streams.kafka.admin import connecting
from streams.kafka.connection import KafkaConnection
from streams.kafka.dead_letters.records import ORIGINAL_HEADER
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.records import Header, OutgoingRecord
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, INPUT_TOPICS, stable_end_offsets

__all__ = ["StoredLetter", "replay_note", "stored_letters"]

_REPLAYED_TO = "replayed-to"
_POLL_MILLISECONDS = 200

Ends = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter as the topic has it.

    letter: with the original bytes, if they are there. key, headers: of the original record. place:
    the key of the record that tells of it, and partition: of the dead-letter topic, where it lies.
    replayed_to: topic/partition/offset that it was sent to again, None if it was not. is_of_topic:
    whether it was read from a topic, so that it can be sent back there.
    """

    letter: DeadLetter
    key: bytes | None = field(repr=False)
    headers: Sequence[Header] = field(repr=False)
    place: bytes
    partition: int
    replayed_to: str | None
    is_of_topic: bool


def replay_note(stored: StoredLetter, replayed_to: str) -> OutgoingRecord:
    """Return the record that tells where a dead letter was sent again."""
    headers = [(_REPLAYED_TO, replayed_to.encode()), ("sha256", stored.letter.sha256.encode())]
    return OutgoingRecord(stored.place, None, headers)


def stored_letters(
    broker: KafkaConnection | str, limits: KafkaLimits = KAFKA_LIMITS
) -> Iterator[StoredLetter]:
    """Yield each dead letter that is in the topic now once, partition after partition.

    One is known by its place and the digest of its bytes, as in the table `dead_letter`. In memory
    are some hundred bytes for each. Raises BrokerUnavailableError, and TopicError where there is no
    dead-letter topic, or it cannot be read.
    """
    connection = KafkaConnection.of(broker)
    topic = connection.topic(DEAD_LETTER_TOPIC)
    at_present = stable_end_offsets(connection, [topic], limits)
    if not at_present:
        raise TopicError(
            f"there is no topic {topic} at {connection}; `lineage worker` and "
            "`lineage publish` make it, so this may be another cluster than theirs"
        )
    ends = {TopicPartition(*at): end for at, end in at_present.items()}
    with connecting(connection):
        consumer = _consumer(connection, limits)
    try:
        with closing(consumer):
            yield from _letters(consumer, ends, connection, limits)
    except KafkaError as error:
        raise TopicError(
            f"the topic {topic} cannot be read: {error or type(error).__name__}"
        ) from error


def _letters(
    consumer: KafkaConsumer, ends: Ends, connection: KafkaConnection, limits: KafkaLimits
) -> Iterator[StoredLetter]:
    bootstrap, topics = connection.bootstrap, connection.topics(INPUT_TOPICS)
    # Twice over the topic: the first letter may be the one that the last record tells of.
    replayed: dict[bytes, str] = {}
    for record in _records(consumer, ends, bootstrap, limits):
        tags = _tags(record)
        if _REPLAYED_TO in tags:
            replayed[_identity(record, tags)] = tags[_REPLAYED_TO]
    seen: set[bytes] = set()
    for record in _records(consumer, ends, bootstrap, limits):
        tags = _tags(record)
        identity = _identity(record, tags)
        if "reason" in tags and identity not in seen:
            seen.add(identity)
            yield _stored(record, tags, replayed.get(identity), topics)


def _records(
    consumer: KafkaConsumer, ends: Ends, bootstrap: str, limits: KafkaLimits
) -> Iterator[Any]:
    """Yield the records of each partition up to its end."""
    for at, end in sorted(ends.items()):
        consumer.assign([at])
        consumer.seek_to_beginning(at)
        heard = time.monotonic()
        while (position := consumer.position(at)) < end:
            for records in consumer.poll(_POLL_MILLISECONDS).values():
                yield from (record for record in records if record.offset < end)
            if consumer.position(at) > position:
                heard = time.monotonic()
            elif time.monotonic() - heard > limits.delivery_seconds_max:
                raise BrokerUnavailableError(bootstrap, "it stopped answering")


def _consumer(connection: KafkaConnection, limits: KafkaLimits) -> KafkaConsumer:
    arguments = connection.arguments(
        KafkaConsumer,
        bootstrap_timeout_ms=int(limits.connect_seconds_max * 1000),
        client_id="lineage-dead-letters",
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    return KafkaConsumer(**arguments)


def _tags(record: Any) -> dict[str, str]:  # noqa: ANN401 - of the client's own type
    """Return our own headers."""
    return {
        name: (value or b"").decode(errors="replace")
        for name, value in record.headers
        if name != "key" and not name.startswith(ORIGINAL_HEADER)
    }


def _identity(record: Any, tags: Mapping[str, str]) -> bytes:  # noqa: ANN401 - of the client's own type
    both = (record.key or b"") + b"\0" + tags.get("sha256", "").encode()
    return blake2b(both, digest_size=16).digest()


def _stored(
    record: Any,  # noqa: ANN401 - of the client's own type
    tags: Mapping[str, str],
    replayed_to: str | None,
    topics: Sequence[str],
) -> StoredLetter:
    letter = DeadLetter(
        tags.get("source", ""),
        _number(tags.get("partition")),
        _number(tags.get("position")),
        tags["reason"],
        tags.get("sha256", ""),
        record.value,
    )
    headers = [
        (name.removeprefix(ORIGINAL_HEADER), value)
        for name, value in record.headers
        if name.startswith(ORIGINAL_HEADER)
    ]
    key = next((value for name, value in record.headers if name == "key"), None)
    place, is_of_topic = record.key or b"", letter.source in topics
    return StoredLetter(letter, key, headers, place, record.partition, replayed_to, is_of_topic)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
