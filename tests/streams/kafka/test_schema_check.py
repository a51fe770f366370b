"""A registry that has other schemas under the topics' ids is refused at the start."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import pytest
from kafka import KafkaProducer, TopicPartition

import streams.kafka.registry.schema_check
from lineage.codec import (
    CONSENT_CHANGED,
    INPUTS,
    MESSAGE_SENT,
    RECORDS_MOVED,
    LocalIds,
)
from lineage.codec.errors import RegistryError
from streams.errors import BrokerUnavailableError, SchemaIdError
from streams.kafka.connection import KafkaConnection
from streams.kafka.fetch.consumer import sampling_consumer
from streams.kafka.limits import KAFKA_LIMITS
from streams.kafka.registry.client import HttpRegistry
from streams.kafka.registry.schema_check import check_schema_ids
from streams.kafka.topics.topics import FLAG_TOPIC, INPUT_TOPICS, MESSAGE_BYTES_MAX, end_offsets
from tests.registry_service import RegistryService
from tests.streams.kafka_helpers import PARTITIONS

MESSAGES, HOPS = MESSAGE_SENT.topic, RECORDS_MOVED.topic
STARTS = {(topic, n): 0 for topic in INPUT_TOPICS for n in range(PARTITIONS)}
PATIENT = replace(KAFKA_LIMITS, schema_check_seconds_max=60.0)


def value(schema_id: int, size: int = 3) -> bytes:
    return struct.pack(">bI", 0, schema_id) + b"x" * size


GOOD, OTHER, UNKNOWN = (value(schema_id) for schema_id in (1, 2, 77))
"""In the topic of messages, by the ids of the package."""


def send(
    bootstrap: str,
    values: Sequence[bytes | None],
    partition: int | None = None,
    topic: str = MESSAGES,
) -> None:
    """Send values to one partition, or in turn to all."""
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, max_request_size=MESSAGE_BYTES_MAX, linger_ms=20
    )
    for n, one in enumerate(values):
        at = n % PARTITIONS if partition is None else partition
        producer.send(topic, value=one, key=b"k", partition=at)
    producer.flush()
    producer.close()


def starts_at_the_end(bootstrap: str) -> dict[tuple[str, int], int]:
    return end_offsets(bootstrap, INPUT_TOPICS)


@pytest.fixture
def service() -> Iterator[RegistryService]:
    """A registry that gives ids in an order of its own: hops first."""
    with RegistryService(first_id=1) as running:
        for event in reversed(INPUTS):
            running.register(event.subject, event.schema)
        running.requests.clear()
        yield running


@pytest.mark.kafka
class TestOnRealKafka:
    def test_nothing_to_read_is_fine(self, topics: str, service: RegistryService) -> None:
        check_schema_ids(topics, HttpRegistry(service.url), STARTS)
        check_schema_ids(topics, LocalIds(), {})
        check_schema_ids(topics, LocalIds(), {(FLAG_TOPIC, 0): 0})
        assert service.requests == []

    def test_values_of_the_same_registry_are_fine(
        self, topics: str, service: RegistryService
    ) -> None:
        send(topics, [GOOD] * 100)
        check_schema_ids(topics, LocalIds(), STARTS)
        service_id = next(i for i, text in service.schemas.items() if text == INPUTS[1].schema)
        send(topics, [value(service_id)] * 100, topic=HOPS)
        check_schema_ids(topics, HttpRegistry(service.url), {(HOPS, n): 0 for n in range(4)})

    def test_values_of_another_registry_are_refused(
        self, topics: str, service: RegistryService
    ) -> None:
        for event in INPUTS:
            send(topics, [value(LocalIds().id_of(event))] * 50, topic=event.topic)
        with pytest.raises(SchemaIdError) as refused:
            check_schema_ids(topics, HttpRegistry(service.url), STARTS)
        assert refused.value.exit_code == 3
        assert str(refused.value) == (
            "the values in lineage.dataset.declared.v1 have schema id 4, but the schema that the "
            f"schema registry at {service.url} has under it is of ConsentChanged, not of "
            "DatasetDeclared; start with the registry that they were written with (--registry-url "
            "or LINEAGE_REGISTRY_URL), or without one if they were written without; or publish "
            "the log again with this one: what is sent twice counts once"
        )
        check_schema_ids(topics, LocalIds(), STARTS)

    def test_values_of_a_registry_are_refused_without_it(self, topics: str) -> None:
        send(topics, [OTHER] * 5)
        with pytest.raises(
            SchemaIdError,
            match="schema id 2, but the schema that the table of ids "
            "that comes with this program has under it is of RecordsMoved",
        ):
            check_schema_ids(topics, LocalIds(), STARTS)  # fmt: skip

    @pytest.mark.parametrize(
        ("schema", "kind", "said"),
        [
            ('"string"', "AVRO", "is of string, not of MessageSent"),
            ("{}", "PROTOBUF", "has under it is not an Avro schema;"),
        ],
    )
    def test_any_other_schema_is_refused(
        self, topics: str, service: RegistryService, schema: str, kind: str, said: str
    ) -> None:
        answered = json.dumps({"schema": schema, "schemaType": kind}).encode()
        service.answers["/schemas/ids/31"] = 200, {}, answered
        send(topics, [value(31)] * 5)
        with pytest.raises(SchemaIdError, match=said):
            check_schema_ids(topics, HttpRegistry(service.url), STARTS)

    def test_a_schema_of_the_event_that_cannot_be_read_is_no_other_registry(
        self, topics: str, service: RegistryService
    ) -> None:
        incompatible = '{"type": "record", "name": "MessageSent", "fields": []}'
        answered = json.dumps({"schema": incompatible}).encode()
        service.answers["/schemas/ids/31"] = 200, {}, answered
        send(topics, [value(31)] * 5)
        check_schema_ids(topics, HttpRegistry(service.url), STARTS)

    def test_ids_that_are_unknown_are_no_other_registry(
        self, topics: str, service: RegistryService
    ) -> None:
        send(topics, [UNKNOWN] * 50)
        check_schema_ids(topics, LocalIds(), STARTS)
        check_schema_ids(topics, HttpRegistry(service.url), STARTS)
        send(topics, [value(n) for n in range(100, 400)])
        send(topics, [OTHER] * 9)  # among that many, they are a mistake of a producer
        check_schema_ids(topics, LocalIds(), STARTS)

    def test_an_unknown_id_does_not_hide_another(self, topics: str) -> None:
        send(topics, [UNKNOWN, OTHER] * 20)
        with pytest.raises(SchemaIdError, match="schema id 2"):
            check_schema_ids(topics, LocalIds(), STARTS)

    def test_what_has_no_schema_id_says_nothing(self, topics: str) -> None:
        send(topics, [None, b"", b"\0\0\0", b"{}" * 9, b"\x01\0\0\0\x02xyz"] * 20)
        check_schema_ids(topics, LocalIds(), STARTS)
        send(topics, [OTHER])
        with pytest.raises(SchemaIdError):
            check_schema_ids(topics, LocalIds(), STARTS)

    @pytest.mark.parametrize(
        "values",
        [
            [OTHER, *[GOOD] * 99],
            [*[GOOD] * 99, OTHER],
            [*[OTHER] * 30, *[GOOD] * 300, *[OTHER] * 30],
            [*[OTHER] * 30, GOOD],
        ],
        ids=["first", "last", "both ends", "but one"],
    )
    def test_stray_values_among_good_ones_keep_nothing_from_starting(
        self, topics: str, values: list[bytes]
    ) -> None:
        send(topics, values, partition=2)
        check_schema_ids(topics, LocalIds(), STARTS)

    def test_stray_values_that_came_meanwhile_keep_nothing_from_starting(self, topics: str) -> None:
        send(topics, [GOOD] * 40)
        recorded = starts_at_the_end(topics)
        send(topics, [OTHER] * 40)
        check_schema_ids(topics, LocalIds(), recorded)

    def test_many_values_of_another_registry_are_refused_whatever_was_before(
        self, topics: str
    ) -> None:
        send(topics, [GOOD] * 40)
        recorded = starts_at_the_end(topics)
        send(topics, [OTHER] * 1_200)
        with pytest.raises(SchemaIdError):
            check_schema_ids(topics, LocalIds(), recorded)

    def test_what_is_recorded_already_is_not_asked_about(
        self, topics: str, service: RegistryService
    ) -> None:
        send(topics, [OTHER] * 40)
        check_schema_ids(topics, HttpRegistry(service.url), starts_at_the_end(topics))
        beyond = {at: end + 1000 for at, end in starts_at_the_end(topics).items()}
        check_schema_ids(topics, HttpRegistry(service.url), beyond)
        assert service.requests == []

    def test_each_topic_is_looked_at_alone(self, topics: str) -> None:
        send(topics, [GOOD] * 40)
        send(topics, [value(1)] * 40, topic=CONSENT_CHANGED.topic)
        with pytest.raises(SchemaIdError, match=r"^the values in messaging\.consent\.changed\.v1"):
            check_schema_ids(topics, LocalIds(), STARTS)

    def test_transactions_are_seen_as_they_will_be_read(self, topics: str) -> None:
        producer = KafkaProducer(bootstrap_servers=topics, transactional_id="schema-check")
        producer.init_transactions()
        for values, end in (([OTHER] * 30, producer.abort_transaction),
                            ([GOOD], producer.commit_transaction),
                            ([OTHER] * 30, producer.abort_transaction)):  # fmt: skip
            producer.begin_transaction()
            for one in values:
                producer.send(MESSAGES, value=one, partition=1)
            producer.flush()
            end()
        started = time.monotonic()
        check_schema_ids(topics, LocalIds(), STARTS, PATIENT)
        producer.begin_transaction()
        producer.send(MESSAGES, value=OTHER, partition=0)
        producer.flush()
        check_schema_ids(topics, LocalIds(), STARTS, PATIENT)
        assert time.monotonic() - started < 50  # it waits for no end of a transaction
        producer.commit_transaction()
        check_schema_ids(topics, LocalIds(), {(MESSAGES, 0): 0, (MESSAGES, 1): 0}, PATIENT)
        with pytest.raises(SchemaIdError):
            check_schema_ids(topics, LocalIds(), {(MESSAGES, 0): 0}, PATIENT)
        producer.close()

    def test_the_largest_values_are_seen(self, topics: str) -> None:
        large = [value(2, 15 * 1024 * 1024)] * 2
        for partition in range(2):
            send(topics, large, partition)
        with pytest.raises(SchemaIdError):
            check_schema_ids(topics, LocalIds(), STARTS, PATIENT)

    def test_what_could_not_be_looked_at_in_time_is_said_and_not_refused(
        self, topics: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        send(topics, [OTHER] * 40)

        with closing(
            sampling_consumer(
                KafkaConnection(topics), "test", PATIENT.sample_fetch_bytes_max, PATIENT
            )
        ) as consumer:
            wanted = {TopicPartition(MESSAGES, n): 0 for n in range(PARTITIONS)}
            check = streams.kafka.registry.schema_check._Check(
                consumer, LocalIds(), wanted, PATIENT
            )
            check._look(
                [
                    streams.kafka.registry.schema_check._first(
                        check._unread, PATIENT.sampled_records_max
                    )
                ]
            )
            check._seconds_max = 0.0
            check.run()
        assert "could not be checked in 0 s; it holds values with schema id 2, for" in caplog.text
        caplog.clear()
        hurried = replace(KAFKA_LIMITS, schema_check_seconds_max=0.0)
        check_schema_ids(topics, LocalIds(), STARTS, hurried)
        assert "were not checked: the broker did not answer in time" in caplog.text

    def test_a_registry_that_is_away_is_said(self, topics: str) -> None:
        send(topics, [OTHER])
        with pytest.raises(RegistryError, match="does not answer"):
            check_schema_ids(topics, HttpRegistry("http://127.0.0.1:1"), STARTS)


@pytest.mark.slow
def test_a_broker_that_is_away_is_said() -> None:
    with pytest.raises(BrokerUnavailableError):
        check_schema_ids("127.0.0.1:1", LocalIds(), STARTS)
