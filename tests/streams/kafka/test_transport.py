"""The batched transport: every record once, in order, by the fetch, with Faust's own groups."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import faust
import pytest
from aiokafka.errors import NodeNotReadyError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from kafka import KafkaProducer

from streams.kafka.fetch.transport import _ConsumerThread
from streams.kafka.records import Records
from streams.kafka.topics.topics import INPUT_TOPICS
from tests.streams.kafka_helpers import committed_offsets

TOPIC = INPUT_TOPICS[0]
OTHER = INPUT_TOPICS[1]


def records(offsets: list[int]) -> Records:
    values = [b"%d" % offset for offset in offsets]
    return Records("t", 0, offsets, values, 1_700_000_000_000)


class TestRecords:
    def test_reading_goes_on_after_the_last_one(self) -> None:
        assert records([3, 4, 9]).next_offset == 10

    @pytest.mark.parametrize(("since", "left"), [(0, [3, 4, 9]), (4, [4, 9]), (5, [9]), (9, [9])])
    def test_the_rest_from_an_offset_on(self, since: int, left: list[int]) -> None:
        rest = records([3, 4, 9]).since(since)
        assert rest == records(left)

    def test_nothing_is_left_after_the_last_one(self) -> None:
        assert records([3, 4, 9]).since(10) is None

    def test_a_value_by_its_offset(self) -> None:
        assert [records([3, 4, 9]).value_at(at) for at in (3, 5, 9, 10)] == [
            b"3", None, b"9", None,
        ]  # fmt: skip


def send(bootstrap: str, topic: str, numbers: range) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    for number in numbers:
        producer.send(topic, key=b"%d" % (number % 50), value=b"%d" % number)
    producer.flush()
    producer.close()


def trickle(bootstrap: str, count: int) -> None:
    """Send one record after the other to one partition, some milliseconds apart."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=0)
    for number in range(count):
        producer.send(TOPIC, key=b"one", value=b"%d" % number)
        producer.flush()
        time.sleep(0.002)
    producer.close()


def test_a_consumer_that_fails_to_close_without_a_broker_is_closed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Mocked: that the broker goes away in the one instant in which the driver fails.
    async def fail(_: object) -> None:
        raise NodeNotReadyError("gone")

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "on_thread_stop", fail)
    with caplog.at_level("INFO"):
        asyncio.run(_ConsumerThread.__new__(_ConsumerThread).on_thread_stop())
    assert "closed without a broker (NodeNotReadyError)" in caplog.text


class Reader(faust.App):
    """Reads until it has seen so many records, from where `starts` says."""

    def __init__(self, bootstrap: str, group: str, wanted: int) -> None:
        super().__init__(
            group,
            broker=f"batched://{bootstrap}",
            store="memory://",
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            key_serializer="raw",
            value_serializer="raw",
            broker_commit_interval=0.2,
            stream_recovery_delay=0.0,
        )
        self.got: list[Records] = []
        self.wanted = wanted
        for topic in (TOPIC, OTHER):
            self.agent(self.topic(topic), name=topic)(self._agent)

    async def _agent(self, stream: Any) -> None:  # noqa: ANN401 - Faust has no type for it
        async for event in stream.noack().events():
            self.got.append(event.value)
            event.ack()

    def _create_directories(self) -> None:
        pass

    async def read(self) -> list[Records]:
        await self.start()
        try:
            while sum(map(len, self.got)) < self.wanted:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)  # more than wanted would be a fault, so let it come
        finally:
            await self.stop()
        return self.got


class SelfPositioned(Reader):
    """Goes on from positions of its own."""

    starts: Mapping[tuple[str, int], int]

    async def start_offsets(self, partitions: set[TP]) -> Mapping[TP, int]:
        return {tp: self.starts.get((tp.topic, tp.partition), 0) for tp in partitions}


def read(app: Reader) -> list[Records]:
    return asyncio.run(asyncio.wait_for(app.read(), 60))


def numbers(got: list[Records], topic: str) -> list[int]:
    return sorted(int(value or b"") for one in got if one.topic == topic for value in one.values)


@pytest.fixture
def group() -> str:
    return f"test-{random.getrandbits(48):x}"


@pytest.mark.kafka
class TestOnRealKafka:
    def test_everything_is_read_once_and_in_order(self, topics: str, group: str) -> None:
        send(topics, TOPIC, range(20_000))
        send(topics, OTHER, range(500))
        got = read(Reader(topics, group, 20_500))
        assert numbers(got, TOPIC) == list(range(20_000))
        assert numbers(got, OTHER) == list(range(500))
        offsets: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for one in got:
            offsets[one.topic, one.partition].extend(one.offsets)
        for seen in offsets.values():
            assert seen == list(range(len(seen)))

    def test_by_the_fetch_and_not_one_by_one(self, topics: str, group: str) -> None:
        send(topics, TOPIC, range(20_000))
        got = read(Reader(topics, group, 20_000))
        assert len(got) < 200

    def test_what_comes_one_by_one_is_fetched_some_at_a_time(self, topics: str, group: str) -> None:
        app = Reader(topics, group, 1_300)

        async def read_meanwhile() -> list[Records]:
            reading = asyncio.create_task(app.read())
            await asyncio.to_thread(send, topics, TOPIC, range(1_000))
            while sum(map(len, app.got)) < 1_000:
                await asyncio.sleep(0.05)
            app.got.clear()
            app.wanted = 300
            trickling = asyncio.create_task(asyncio.to_thread(trickle, topics, 300))
            consumer: Any = app.consumer
            while not trickling.done():
                # Faust builds a tree of what is skipped anew for each message.
                assert not any(consumer._gap.values())
                await asyncio.sleep(0.005)
            return await reading

        got = asyncio.run(asyncio.wait_for(read_meanwhile(), 60))
        assert sum(map(len, got)) == 300
        assert len(got) < 150

    def test_what_is_fetched_together_has_the_time_of_its_first_record(
        self, topics: str, group: str
    ) -> None:
        before = int(time.time() * 1000)
        send(topics, TOPIC, range(100))
        for one in read(Reader(topics, group, 100)):
            assert one.timestamp is not None
            assert before <= one.timestamp <= time.time() * 1000

    def test_no_object_is_made_for_a_record_beside_the_one_off_the_wire(
        self, topics: str, group: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def made(*_: object) -> None:
            raise AssertionError("a record was made into another")

        monkeypatch.setattr("aiokafka.consumer.fetcher.ConsumerRecord", made)
        send(topics, TOPIC, range(100))
        assert numbers(read(Reader(topics, group, 100)), TOPIC) == list(range(100))

    def test_what_is_acknowledged_is_committed_and_not_read_again(
        self, topics: str, group: str
    ) -> None:
        send(topics, TOPIC, range(5_000))
        read(Reader(topics, group, 5_000))
        assert sum(committed_offsets(topics, group).values()) == 5_000
        send(topics, TOPIC, range(5_000, 6_000))
        assert numbers(read(Reader(topics, group, 1_000)), TOPIC) == list(range(5_000, 6_000))
        assert sum(committed_offsets(topics, group).values()) == 6_000

    def test_positions_of_the_app_go_before_those_committed(self, topics: str, group: str) -> None:
        send(topics, TOPIC, range(5_000))
        before = read(Reader(topics, group, 5_000))
        ends = {(one.topic, one.partition): one.next_offset for one in before}
        app = SelfPositioned(topics, group, 4 * 10)
        app.starts = {at: end - 10 for at, end in ends.items()}
        again = read(app)
        assert sorted(numbers(again, TOPIC)) == sorted(
            int(value or b"")
            for one in before
            for offset, value in zip(one.offsets, one.values, strict=True)
            if offset >= ends[one.topic, one.partition] - 10
        )
