"""Hands Kafka records over to Faust by the fetch, not one by one.

Faust makes several tasks for each message that it reads, which bounds a plain agent to about
12,000 messages a second. This transport makes **one** Faust message of all the records that
were fetched from a partition: its value is `Records`, its offset that of the last of them, so
acknowledging it acknowledges them all. Groups, rebalances and commits stay Faust's own. Of records
to be sent it makes whole batches (`Producer.send_many`). Only committed transactions are read.

Faust can commit past a message that is not done if acknowledgements of a partition come out of
order (its issue 606). Whoever reads this way must acknowledge in the order of reading.

Registered as `batched` among the `faust.transports`: use a broker URL `batched://HOST:PORT`.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, ClassVar, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.transport.drivers import aiokafka as driver
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT, ProducerT

from streams.kafka.connection import KafkaConnection
from streams.kafka.fetch.batches import bound_batches
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.records import OutgoingRecord, Records, RefusedBatch

__all__ = ["Consumer", "Producer", "Transport", "faust_credentials"]

logger = logging.getLogger(__name__)


class _WholePartitions(DefaultSchedulingStrategy):
    """Faust's order of handing over what was fetched, with each partition in one piece."""

    def __init__(self) -> None:  # the base of Faust's own declares it abstract
        pass

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, list[Any]]]:
        """Give each partition's records as one list: there is nothing to take turns in."""
        for tp, fetched in records.items():
            if fetched:
                yield tp, fetched


class _RawFetches(OrderedDict[TopicPartition, Any]):
    """The records that a fetcher holds for its consumer, raw as they came off the wire.

    aiokafka would make a further object of each, which takes longer than all else that is done
    with it here.
    """

    def __setitem__(self, partition: TopicPartition, result: Any) -> None:  # noqa: ANN401 - an error's too
        if isinstance(result, FetchResult):
            result._partition_records._consumer_record = _keep_raw
        super().__setitem__(partition, result)


def _keep_raw(partition: TopicPartition, record: Any) -> Any:  # noqa: ANN401 - of several formats
    return record


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """The driver's thread, whose fetches wait a moment for more to come.

    Under a steady load each record would be a fetch of its own, and a fetch costs as much as
    thousands of records, here and at the broker.
    """

    async def on_start(self) -> None:
        """Start the driver's consumer; no partition is its own yet, so nothing is fetched."""
        # An app that has limits of its own says so.
        bound_batches(getattr(self.app, "kafka_limits", KAFKA_LIMITS))
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher
        fetcher._records = _RawFetches()
        if hasattr(self.app, "start_offsets"):
            fetcher._update_fetch_positions = _wait_for_seek

    async def on_thread_stop(self) -> None:
        """Stop the driver's consumer; one whose broker is gone may fail in it, and has stopped."""
        try:
            await super().on_thread_stop()
        except KafkaError as error:
            logger.info("the consumer was closed without a broker (%s)", type(error).__name__)

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ANN401 - inherited
        """Make the consumer as the driver does, with more settings than Faust has."""
        # An app that has limits and settings of its own says so.
        limits: KafkaLimits = getattr(self.app, "kafka_limits", KAFKA_LIMITS)
        conf = self.app.conf
        self._assignor = RoundRobinPartitionAssignor
        arguments = {
            "client_id": conf.broker_client_id,
            "group_id": conf.id,
            "group_instance_id": conf.consumer_group_instance_id,
            "bootstrap_servers": driver.server_list(transport.url, transport.default_port),
            "partition_assignment_strategy": [self._assignor],
            "enable_auto_commit": False,
            "auto_offset_reset": conf.consumer_auto_offset_reset,
            "max_poll_records": conf.broker_max_poll_records,
            "max_poll_interval_ms": _milliseconds(conf.broker_max_poll_interval),
            "max_partition_fetch_bytes": conf.consumer_max_fetch_size,
            "fetch_min_bytes": limits.fetch_bytes_min,
            "fetch_max_wait_ms": limits.fetch_wait_milliseconds_max,
            "request_timeout_ms": _milliseconds(conf.broker_request_timeout),
            "check_crcs": conf.broker_check_crcs,
            "session_timeout_ms": _milliseconds(conf.broker_session_timeout),
            "rebalance_timeout_ms": _milliseconds(conf.broker_rebalance_timeout),
            "heartbeat_interval_ms": _milliseconds(conf.broker_heartbeat_interval),
            # Records of an aborted transaction never happened.
            "isolation_level": "read_committed",
            "metadata_max_age_ms": conf.consumer_metadata_max_age_ms,
            "connections_max_idle_ms": conf.consumer_connections_max_idle_ms,
        }
        given = _given(self.app, AIOKafkaConsumer)
        access = driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context)
        return AIOKafkaConsumer(**{**arguments, **given, **access})


async def _wait_for_seek(assignment: Any, node_id: int, partitions: Any) -> bool:  # noqa: ANN401 - aiokafka's own
    """Wait until the app has said where each partition begins; return that nothing was fetched.

    In place of aiokafka's own search for a position: it asks the group's commits, and a partition
    without one (any empty one) would be an error, if it comes before the app's answer.
    """
    # Cancelled when the partitions are taken away; the fetcher takes no error for an answer then.
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*(assignment.state_value(tp).wait_for_position() for tp in partitions))
    return False


class Consumer(driver.Consumer):
    """The driver's consumer, whose `getmany` gives one message for each fetched list.

    positioned_generation: the generation of the group whose partitions have a position. Before it
    has one, `position` waits, and holds up the thread that is to seek: nothing would ever be read.
    """

    positioned_generation = -1

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().__init__(*args, **kwargs)
        self.scheduler = _WholePartitions()

    @property
    def member_id(self) -> str:
        """Return the id that the group has given to this member; "" for none."""
        thread = cast(_ConsumerThread, self._thread)
        return str(thread._ensure_consumer()._coordinator.member_id)

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:  # noqa: ANN401 - inherited
        fetched: list[Any] = record
        first, last = fetched[0], fetched[-1]
        values = [one.value for one in fetched]
        offsets = [one.offset for one in fetched]
        refused: tuple[RefusedBatch, ...] = ()
        if None in values:  # as of a refused batch, and hardly any other
            refused = tuple(one for one in fetched if isinstance(one, RefusedBatch))
        records = Records(
            tp.topic, tp.partition, offsets, values, first.timestamp, fetched, refused
        )
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            (last.timestamp or 0) / 1000.0,
            last.timestamp_type,
            {},
            None,
            cast(bytes, records),  # the topic's codec must be "raw", which passes it on
            None,
            0,
            sum(map(len, filter(None, values))),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: a stream whose buffer is full makes the fetcher wait by itself.

        With every partition set aside, the fetcher would sleep for a whole second.
        """

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing, see on_buffer_full."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: a message stands for all offsets up to its own, so there are no gaps.

        Faust would keep a tree of them, and build it anew for each message.
        """

    def _new_offset(self, tp: TP) -> int | None:
        """Return what to commit: the offset after the last one that was acknowledged.

        They are acknowledged in the order of reading.
        """
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return last + 1

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to where the app says that it goes on, if it says so; else as the driver does.

        Faust calls this after each rebalance, before it fetches again. An app that keeps its
        own positions has a method `start_offsets(partitions) -> {partition: offset}` for it.
        """
        start: Callable[[set[TP]], Awaitable[Mapping[TP, int]]] | None
        start = getattr(self.app, "start_offsets", None)
        if start is None:
            return await super().seek_to_committed()
        offsets: Mapping[TP, int] = await start(self.assignment())
        generation = self.app.consumer_generation_id
        if offsets:
            await self.seek_wait(offsets)
        self.positioned_generation = generation
        return offsets


class Producer(driver.Producer):
    """The driver's producer, which can also send many records at once."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {**super()._settings_extra(), **_given(self.app, AIOKafkaProducer)}

    async def send_many(self, topic: str, records: Sequence[OutgoingRecord]) -> list[int]:
        """Send records in batches, those with one key in their order.

        Returns, once all others are acknowledged, the places of the records that are larger than
        the topic takes. Sent one by one, each record would be several tasks, and a flood of them
        would time out in the queue. Raises what aiokafka raises.
        """
        if not records:
            return []
        partitions = sorted(await self._ensure_producer().partitions_for(topic))
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, record in enumerate(records):
            places[_PARTITION_OF(record.key, partitions, partitions)].append(place)
        refused = await asyncio.gather(
            *(self._send_to(topic, one, records, some) for one, some in places.items())
        )
        return sorted(chain.from_iterable(refused))

    async def _send_to(
        self, topic: str, partition: int, records: Sequence[OutgoingRecord], places: Sequence[int]
    ) -> list[int]:
        """Send the records at `places` to one partition, one batch after the other."""
        refused: list[int] = []
        while places:
            batch, count = self._batch_of(records, places)
            try:
                await self._send_batch(topic, partition, batch)
            except (MessageSizeTooLargeError, RecordListTooLargeError):
                if count == 1:
                    refused.append(places[0])
                else:  # the topic takes batches of less: some of these are too large for it
                    half = count // 2
                    refused += await self._send_to(topic, partition, records, places[:half])
                    refused += await self._send_to(topic, partition, records, places[half:count])
            places = places[count:]
        return refused

    def _batch_of(
        self, records: Sequence[OutgoingRecord], places: Sequence[int]
    ) -> tuple[Any, int]:
        """Return a batch of as many records as it takes, at least one, and how many these are."""
        batch = self._ensure_producer().create_batch()
        count = 0
        for place in places:
            record = records[place]
            if not batch.append(
                timestamp=None, key=record.key, value=record.value, headers=[*record.headers]
            ):
                break
            count += 1
        batch.close()
        return batch, count

    async def _send_batch(self, topic: str, partition: int, batch: Any) -> None:  # noqa: ANN401 - aiokafka's own
        if batch.size() > self.max_request_size:
            raise MessageSizeTooLargeError
        await (await self._ensure_producer().send_batch(batch, topic, partition=partition))


def _given(app: Any, client: type[Any]) -> dict[str, Any]:  # noqa: ANN401 - any app of Faust's
    """Return those of the app's settings for clients that a client of aiokafka knows."""
    known = inspect.signature(client).parameters
    given: Mapping[str, object] = getattr(app, "client_settings", {})
    return {name: value for name, value in given.items() if name in known}


def _milliseconds(seconds: float | None) -> int:
    return int((seconds or 0) * 1000)


def faust_credentials(connection: KafkaConnection) -> Credentials | None:
    """Return what lets Faust's clients in; None where everybody is."""
    context = None if connection.tls is None else connection.tls.context()
    login = connection.login
    if login is not None:
        return SASLCredentials(
            username=login.username,
            password=login.password,
            mechanism=login.mechanism,
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


_PARTITION_OF = DefaultPartitioner()  # Kafka's own hash of the key


class Transport(driver.Transport):
    """The driver's transport with the consumer and the producer above."""

    Consumer: ClassVar[type[ConsumerT]] = Consumer
    Producer: ClassVar[type[ProducerT]] = Producer
    driver_version = f"batched, {driver.Transport.driver_version}"
