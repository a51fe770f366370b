"""Names and creates the eight topics, and tells how far they reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code
from kafka.protocol.consumer.offsets import IsolationLevel, OffsetSpec

from lineage.codec.contract.events import FLAG_RAISED, INPUTS
from lineage.database.positions import TopicIdentity
from streams.errors import TopicError
from streams.kafka.admin import admin_client
from streams.kafka.connection import KafkaConnection
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits

__all__ = [
    "DEAD_LETTER_TOPIC",
    "DEFAULT_PARTITIONS",
    "FLAG_TOPIC",
    "INPUT_TOPICS",
    "MESSAGE_BYTES_MAX",
    "TOPICS",
    "Topic",
    "TopicsState",
    "create_topics",
    "earliest_offsets",
    "end_offsets",
    "group_members",
    "stable_end_offsets",
    "topic_partitions",
    "topics_state",
]

INPUT_TOPICS: tuple[str, ...] = tuple(event.topic for event in INPUTS)
FLAG_TOPIC = FLAG_RAISED.topic
DEAD_LETTER_TOPIC = "lineage.dead-letter.v1"
TOPICS: tuple[str, ...] = (*INPUT_TOPICS, FLAG_TOPIC, DEAD_LETTER_TOPIC)

DEFAULT_PARTITIONS = 4
# A hop names every record that it moved, so one event can be large; and a dead letter is the
# original value with headers on top.
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
_SETTINGS = {
    # Evidence has no best-before date. It would even be deleted minutes after it was written
    # where a producer uses the event's own time as the record's.
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "max.message.bytes": str(MESSAGE_BYTES_MAX),
}
_BROKERS_OWN = -1  # Kafka's way to ask for default.replication.factor
_UNKNOWN_TOPIC = UnknownTopicOrPartitionError.errno


@dataclass(frozen=True)
class Topic:
    """A topic as it is in Kafka; `created` if it was not there before."""

    name: str
    partitions: int
    created: bool


@dataclass(frozen=True)
class TopicsState:
    """Topics that exist, as a cluster has them at one moment.

    identities: by topic. partitions: by topic, how many. ends: by (topic, partition), the offset
    that comes next, of committed transactions and open ones alike. epochs: by (topic, partition),
    Kafka's number of the leader, which grows with each new one.
    """

    identities: Mapping[str, TopicIdentity]
    partitions: Mapping[str, int]
    ends: Mapping[tuple[str, int], int]
    epochs: Mapping[tuple[str, int], int] = field(default_factory=dict)


def create_topics(
    broker: KafkaConnection | str,
    partitions: int | None = None,
    replication_factor: int | None = None,
    limits: KafkaLimits = KAFKA_LIMITS,
) -> tuple[Topic, ...]:
    """Create those of TOPICS that are not there, and return all of them as they are.

    partitions: of each new topic; None means DEFAULT_PARTITIONS. replication_factor: of each new
    topic; None means the broker's own default. A topic that exists stays as it is, whatever its
    settings: compare `Topic.partitions` with what was asked for. Names have the prefix of the
    connection. Raises what `admin_client` raises, and TopicError where the broker refuses.
    """
    names = KafkaConnection.of(broker).topics(TOPICS)
    replicas = _BROKERS_OWN if replication_factor is None else replication_factor
    wanted = {
        name: {
            "num_partitions": DEFAULT_PARTITIONS if partitions is None else partitions,
            "replication_factor": replicas,
            "configs": _SETTINGS,
        }
        for name in names
    }
    with admin_client(broker, limits) as admin:
        before = _partitions(admin, names)
        missing = {name: what for name, what in wanted.items() if name not in before}
        if missing:
            _create(admin, missing)
        after = _partitions(admin, names)
    return tuple(Topic(name, after[name], name not in before) for name in names)


def _create(admin: KafkaAdminClient, missing: dict[str, dict[str, object]]) -> None:
    try:
        answer = admin.create_topics(missing, raise_errors=False)
        for topic in answer["topics"]:
            # Somebody else may have created it since we looked: then it is as they wanted it.
            if topic["error_code"] not in (0, TopicAlreadyExistsError.errno):
                why = topic["error_message"] or for_code(topic["error_code"]).__name__
                raise TopicError(f"the broker does not create the topic {topic['name']}: {why}")
        admin.wait_for_topics(list(missing))
    except KafkaError as error:
        raise TopicError(f"the topics could not be created: {error}") from error


def topic_partitions(broker: KafkaConnection | str, topics: Collection[str]) -> dict[str, int]:
    """Return how many partitions each topic has; one that does not exist is left out."""
    with admin_client(broker) as admin:
        return _partitions(admin, topics)


def topics_state(admin: KafkaAdminClient, topics: Collection[str]) -> TopicsState:
    """Return what the cluster has of these topics now. Raises TopicError."""
    described = _described(admin, topics)
    partitions = {name: len(topic["partitions"]) for name, topic in described.items()}
    try:
        cluster_id = str(admin.describe_cluster()["cluster_id"])
    except KafkaError as error:
        raise TopicError(
            f"the broker does not describe its cluster: {_error_text(error)}"
        ) from error
    identities = {
        name: TopicIdentity(cluster_id, str(topic["topic_id"])) for name, topic in described.items()
    }
    epochs = {
        (name, int(partition["partition_index"])): int(partition["leader_epoch"])
        for name, topic in described.items()
        for partition in topic["partitions"]
    }
    ends = _offsets_of(admin, partitions, OffsetSpec.LATEST)
    return TopicsState(identities, partitions, ends, epochs)


def _partitions(admin: KafkaAdminClient, topics: Collection[str]) -> dict[str, int]:
    described = _described(admin, topics)
    return {name: len(topic["partitions"]) for name, topic in described.items()}


def _described(admin: KafkaAdminClient, topics: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the topics that exist by name, as Kafka describes them."""
    try:
        described = admin.describe_topics(list(topics))
    except KafkaError as error:
        raise TopicError(
            f"the broker does not describe its topics: {_error_text(error)}"
        ) from error
    found = {}
    for topic in described:
        code = topic["error_code"]
        if code == 0:
            found[topic["name"]] = topic
        elif code != _UNKNOWN_TOPIC:
            raise TopicError(
                f"the broker does not describe the topic {topic['name']}: {for_code(code).__name__}"
            )
    return found


def earliest_offsets(
    broker: KafkaConnection | str, topics: Collection[str]
) -> dict[tuple[str, int], int]:
    """Return, for every partition of topics that exist, the first offset still there."""
    return _offsets(broker, topics, OffsetSpec.EARLIEST)


def end_offsets(
    broker: KafkaConnection | str, topics: Collection[str]
) -> dict[tuple[str, int], int]:
    """Return, for each partition of topics that exist, the next offset (high watermark)."""
    return _offsets(broker, topics, OffsetSpec.LATEST)


def stable_end_offsets(
    broker: KafkaConnection | str, topics: Collection[str], limits: KafkaLimits = KAFKA_LIMITS
) -> dict[tuple[str, int], int]:
    """Return, for every partition of topics that exist, the last stable offset.

    A reader of committed transactions gets no further: what comes after may still be aborted.
    """
    return _offsets(broker, topics, OffsetSpec.LATEST, IsolationLevel.READ_COMMITTED, limits)


def _offsets(
    broker: KafkaConnection | str,
    topics: Collection[str],
    which: OffsetSpec,
    isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
    limits: KafkaLimits = KAFKA_LIMITS,
) -> dict[tuple[str, int], int]:
    with admin_client(broker, limits) as admin:
        return _offsets_of(admin, _partitions(admin, topics), which, isolation)


def _offsets_of(
    admin: KafkaAdminClient,
    partitions: Mapping[str, int],
    which: OffsetSpec,
    isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> dict[tuple[str, int], int]:
    asked = {
        TopicPartition(topic, partition): which
        for topic, count in partitions.items()
        for partition in range(count)
    }
    try:
        found = admin.list_partition_offsets(asked, isolation_level=isolation) if asked else {}
    except KafkaError as error:
        raise TopicError(
            f"the broker does not say how far its topics reach: {_error_text(error)}"
        ) from error
    return {(tp.topic, tp.partition): int(at.offset) for tp, at in found.items()}


def group_members(admin: KafkaAdminClient, group: str) -> frozenset[str]:
    """Return the ids of the consumers of a group. Raises TopicError."""
    try:
        described = admin.describe_groups([group])
    except KafkaError as error:
        raise TopicError(
            f"the broker does not describe the group {group}: {_error_text(error)}"
        ) from error
    return frozenset(member["member_id"] for member in described[group]["members"])


def _error_text(error: KafkaError) -> str:
    """Return the error's text, or its kind where it has none."""
    return str(error) or type(error).__name__
