"""Wires the Faust app: an agent for each topic, all of them thin around the group committer."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, cast

import faust
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from faust.streams import Stream
from faust.types import TP, StreamT

from lineage.codec import DeadLetter, Encoder
from streams.alerts.dispatch import Dispatcher
from streams.errors import StreamsError, TopicError, WorkerError
from streams.kafka.admin import admin_client
from streams.kafka.connection import KafkaConnection
from streams.kafka.limits import KafkaLimits
from streams.kafka.marks import check_marks
from streams.kafka.records import OutgoingRecord
from streams.kafka.registry import registry_at
from streams.kafka.retention import retention_of
from streams.kafka.schema_check import check_schema_ids
from streams.kafka.topic_watch import TopicWatch, check_positions
from streams.kafka.topics import (
    DEAD_LETTER_TOPIC,
    INPUT_TOPICS,
    TopicsState,
    create_topics,
    group_members,
    stable_end_offsets,
    topics_state,
)
from streams.kafka.transport import Consumer, Producer
from streams.metrics.progress import Progress
from streams.serve.server import QuestionServer
from streams.worker.alerts import start_alerts
from streams.worker.decode import Decoders
from streams.worker.faust_configuration import faust_configuration
from streams.worker.gaps import CompactionGaps
from streams.worker.gc_tuning import few_collections, usual_collections
from streams.worker.group_commit import GroupCommitter
from streams.worker.progress import progress_of
from streams.worker.serve import start_server
from streams.worker.settings import Settings
from streams.worker.sink import StoreSink

__all__ = ["LineageApp"]

logger = logging.getLogger(__name__)


class LineageApp(faust.App):
    """Reads the five topics into the store of `settings`.

    on_end: called once, in any thread, when it cannot or need not go on: with the error, or
    with None when `settings.once` is set and all that was there at the start is recorded. It
    has to end the process, or at least the app: the app does nothing more by itself.
    What it records is counted in `committer.tally`, and told in the log once in a while.
    """

    def __init__(
        self,
        settings: Settings,
        on_end: Callable[[BaseException | None], None],
    ) -> None:
        super().__init__(settings.group, **faust_configuration(settings))
        self.settings = settings
        self.kafka_limits = settings.limits.kafka  # the transport's, too
        self.client_settings = settings.connection.client_settings  # the transport's, too
        self._on_end = on_end
        self._ended = False
        self._end_lock = threading.Lock()
        self._prepared = False
        self._end_offsets: dict[tuple[str, int], int] = {}
        self._once: asyncio.Task[None] | None = None
        self._watch: TopicWatch | None = None
        self._gaps = CompactionGaps()
        self._reports: asyncio.Task[None] | None = None
        self._looks: asyncio.Task[None] | None = None
        self.progress = Progress()
        self._server: QuestionServer | None = None
        self._alerts: Dispatcher | None = None
        limits = settings.limits
        self._decoders = Decoders(settings.registry_url, limits)
        self._sink: StoreSink | None = None
        self.committer = GroupCommitter(
            self._open_sink,
            self._decoders.encoded,
            self._produce,
            self.end,
            limits=limits,
        )
        for topic in settings.connection.topics(INPUT_TOPICS):
            channel = self.topic(topic, key_serializer="raw", value_serializer="raw")
            self.agent(channel, name=topic)(self._agent)

    def _open_sink(self) -> StoreSink:
        settings = self.settings
        prefix = settings.connection.topic_prefix
        encoder = Encoder(registry_at(settings.registry_url, settings.limits.kafka, prefix))
        self._sink = StoreSink(settings.db, encoder, settings.memory_mib, settings.limits)
        return self._sink

    async def _agent(self, stream: StreamT[Any]) -> None:
        # Without acknowledgement by Faust itself: it would come before the commit.
        async for event in cast("Stream[Any]", stream).noack().events():
            try:
                letter = self._gaps.letter(event.value)
                if letter is not None:
                    _log_lost(letter)
                await self.committer.read(event.value, event.ack, letter)
            except Exception as error:
                self.end(error)
                return

    def end(self, error: BaseException | None) -> None:
        """Say that the app cannot (an error) or need not (None) go on. Only the first counts."""
        with self._end_lock:
            ended, self._ended = self._ended, True
        if not ended:
            self._on_end(error)

    async def prepare(self) -> None:
        """Make sure of topics and store before Faust connects.

        Raises BrokerUnavailableError, TopicError, LostEvidenceError where the store was read from
        other topics, SchemaIdError where the registry has other schemas, RegistryError, and what
        `lineage.open` raises.
        """
        self._decoders.open()  # its process starts while the rest is looked after
        try:
            await self._prepare()
        except BaseException:
            self._decoders.close()
            await self.committer.stop()
            raise
        self._prepared = True

    async def _prepare(self) -> None:
        kafka, committer, limits = self.settings.connection, self.committer, self.kafka_limits
        # Before anything is made: neither a database nor topics, where there is no broker, or
        # another one than the database was read from.
        state = await asyncio.to_thread(_state, kafka, limits)
        await self._wait_for_empty_group()
        await committer.open()
        check_positions(self.settings.db, committer.positions, committer.identities, state)
        factor = self.settings.replication_factor
        await asyncio.to_thread(partial(create_topics, kafka, None, factor, limits))
        state = await asyncio.to_thread(_state, kafka, limits)
        check_positions(self.settings.db, committer.positions, committer.identities, state)
        # Where the broker lost its tail while no worker saw it, and was written to since.
        await asyncio.to_thread(check_marks, kafka, self.settings.db, committer.marks, limits)
        await committer.identify(state.identities)
        await asyncio.to_thread(self._look_at_retention)
        self._watch = TopicWatch(
            kafka, self.settings.db, state, lambda: committer.positions, self.end, limits,
            marks=lambda: committer.marks, waits=not self.settings.once,
        )  # fmt: skip
        self._end_offsets = await asyncio.to_thread(
            stable_end_offsets, kafka, kafka.topics(INPUT_TOPICS), limits
        )
        starts = {at: committer.positions.get(at, 0) for at in state.ends}
        registry = registry_at(self.settings.registry_url, limits)
        await asyncio.to_thread(check_schema_ids, kafka, registry, starts, limits)

    def _look_at_retention(self) -> None:
        """Warn of settings by which Kafka deletes evidence."""
        kafka = self.settings.connection
        topics = kafka.topics((*INPUT_TOPICS, DEAD_LETTER_TOPIC))
        try:
            with admin_client(kafka, self.kafka_limits) as admin:
                found = retention_of(admin, topics)
        except TopicError as error:  # not every user may ask for them
            logger.warning("whether Kafka deletes evidence is not known: %s", error)
            return
        for retention in found:
            if retention.deletes:
                logger.warning("%s", retention)
        self._gaps = CompactionGaps(one.topic for one in found if one.compacts)

    async def _wait_for_empty_group(self) -> None:
        """Wait until the group has given up a worker that was killed. Raises WorkerError.

        Beside one that lives, this one would publish flags by its part of the events, and nobody
        would take them back when it ends.
        """
        clock, limits = asyncio.get_running_loop().time, self.settings.limits
        deadline = clock() + 1.5 * limits.session_seconds_max
        while await asyncio.to_thread(self._members):
            if clock() > deadline:
                raise WorkerError(
                    f"another worker of the group {self.settings.group} reads these topics, and "
                    "two would get a part of the events each; end it, or give one of the two "
                    "another group"
                )
            await asyncio.sleep(limits.retry_seconds)

    async def on_first_start(self) -> None:
        """Prepare, unless that was done, and start recording."""
        few_collections()
        # Not Faust's own: it makes folders for tables, and there are none.
        if not self._prepared:
            try:
                await self.prepare()
            except Exception as error:
                self.end(error)
                raise
        if self._sink is not None:
            self._server = await asyncio.to_thread(
                start_server, self._sink, self.settings, self.committer.meter, lambda: self.progress
            )
        self.committer.start()
        if self._sink is not None:
            self._alerts = await start_alerts(self._sink, self.committer, self.settings, self.end)
        self._reports = asyncio.create_task(self._report())
        self._looks = asyncio.create_task(self._look())
        if self._watch is not None:
            self._watch.start()
        if self.settings.once:
            self._once = asyncio.create_task(self._end_when_recorded())

    async def on_stop(self) -> None:
        """Stop recording first: what is committed by then can still be acknowledged."""
        if self._once is not None:
            self._once.cancel()
        if self._reports is not None:
            self._reports.cancel()
        if self._looks is not None:
            self._looks.cancel()
        if self._watch is not None:
            self._watch.stop()
        if self._away:
            self.committer.cancel()
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)
        if self._alerts is not None:
            await self._alerts.stop()
        await self.committer.stop()
        tally = self.committer.tally
        logger.info("recorded in all: %s", tally.line(), extra={"counts": tally.summary()})
        self._decoders.close()
        usual_collections()
        await super().on_stop()

    async def start_offsets(self, partitions: set[TP]) -> Mapping[TP, int]:
        """Return where to read on: the store's positions, else the first offset there is."""
        if not partitions:
            return {}
        try:
            while True:
                try:
                    return await self._start_offsets(partitions)
                except KafkaError as error:
                    # A broker that restarts; one that is gone is noticed by the watch.
                    if not error.retriable:
                        raise
                    await asyncio.sleep(self.settings.limits.retry_seconds)
        except Exception as error:
            self.end(error)
            # Faust would log it and read on from somewhere; it is not let to until it stops.
            await asyncio.Event().wait()
            raise

    async def _start_offsets(self, partitions: set[TP]) -> Mapping[TP, int]:
        await self._report_other_members(partitions)
        earliest = await self.consumer.earliest_offsets(*partitions)
        starts: dict[TP, int] = {}
        for tp in partitions:
            stored = self.committer.positions.get((tp.topic, tp.partition))
            if stored is None:
                starts[tp] = earliest[tp]
                if earliest[tp] > 0:
                    self._report_lost(tp, 0, earliest[tp])
            else:
                starts[tp] = max(stored, earliest[tp])
                if earliest[tp] > stored:
                    self._report_lost(tp, stored, earliest[tp])
        self._gaps.start(starts)
        return starts

    def _report_lost(self, tp: TP, first: int, earliest: int) -> None:
        """Say loudly, and record where auditors look, that records were never read."""
        reason = (
            f"offsets {first} to {earliest - 1} were deleted from the topic before they were "
            "read; set retention.ms=-1 on it"
        )
        letter = DeadLetter.of(tp.topic, tp.partition, first, reason, None)
        _log_lost(letter)
        self.committer.note_lost((tp.topic, tp.partition), letter, earliest)

    async def _report_other_members(self, partitions: set[TP]) -> None:
        missing = set(self._end_offsets) - {(tp.topic, tp.partition) for tp in partitions}
        # Partitions of a topic that was deleted are missing, too, and nobody else reads them.
        if not missing or await asyncio.to_thread(self._members) < 2:
            return
        message = (
            f"another worker of the group {self.settings.group} reads {len(missing)} of "
            f"{len(self._end_offsets)} partitions, so {self.settings.db} would get only a part of "
            "the events; end it, or give one of the two another group"
        )
        if self.settings.once:
            raise WorkerError(message)
        logger.error("%s", message)

    def _members(self) -> int:
        """Return how many workers the group has; 0 where that cannot be told now."""
        kafka = self.settings.connection
        with suppress(StreamsError), admin_client(kafka, self.kafka_limits) as admin:
            return group_members(admin, self.settings.group)
        return 0

    async def _report(self) -> None:
        """Say once in a while what was recorded since, and how much more there is to read."""
        before = self.committer.tally.copy()
        seconds = self.settings.limits.report_seconds
        while True:
            await asyncio.sleep(seconds)
            now = self.committer.tally.copy()
            since = now.since(before)
            behind = self._records_behind()
            logger.info(
                "in %.0f s: %s; %s records behind%s", seconds, since.line(), f"{behind:,}",
                self._away, extra={"counts": {**since.summary(), "records_behind": behind}},
            )  # fmt: skip
            before = now

    async def _look(self) -> None:
        """Look once in a while how far it is behind, for the metrics: another thread tells them."""
        while True:
            with suppress(KafkaError, ConsumerNotStarted):
                self.progress = await progress_of(self)
            await asyncio.sleep(self.settings.limits.look_seconds)

    @property
    def away_seconds(self) -> float | None:
        """Return for how long the broker has been away; None while it answers."""
        return None if self._watch is None else self._watch.away_seconds

    def _records_behind(self) -> int:
        """Return how many records are in Kafka and not recorded, as far as the consumer knows."""
        positions = self.committer.positions
        ends = {tp: self.consumer.highwater(tp) for tp in self.consumer.assignment()}
        behind = (
            max(0, end - positions.get((tp.topic, tp.partition), 0))
            for tp, end in ends.items()
            if end is not None
        )
        return sum(behind)

    async def _end_when_recorded(self) -> None:
        try:
            await self._until_recorded()
        except Exception as error:
            self.end(error)
        else:
            self.end(None)

    async def _until_recorded(self) -> None:
        """Return when everything that was there at the start is recorded."""
        clock = asyncio.get_running_loop().time
        limits = self.settings.limits
        before, quiet_since = dict(self.committer.positions), clock()
        while lagging := self._lagging():
            await asyncio.sleep(0.1)
            if self.committer.positions != before or not self.committer.idle:
                before, quiet_since = dict(self.committer.positions), clock()
            quiet = clock() - quiet_since
            if quiet > limits.quiet_seconds_min and await self._only_marks_left(lagging):
                break
            if quiet > limits.stalled_seconds_max:
                raise WorkerError(
                    f"nothing came from {self.settings.bootstrap} for {quiet:.0f} s though there "
                    "is more to read; what was recorded is safe, so start the worker again when "
                    "the broker is well"
                )
        while not self.committer.idle:  # flags may be on their way
            await asyncio.sleep(0.05)

    def _lagging(self) -> list[TP]:
        positions = self.committer.positions
        return [TP(*at) for at, end in self._end_offsets.items() if positions.get(at, 0) < end]

    async def _only_marks_left(self, lagging: list[TP]) -> bool:
        """Say if the rest are no records: a transaction's last offset is only a mark."""
        if not self.consumer.assignment().issuperset(lagging):
            return False  # the group is still forming
        if cast(Consumer, self.consumer).positioned_generation != self.consumer_generation_id:
            return False  # asked before that, the consumer would never get a position
        try:
            positions = await asyncio.wait_for(
                asyncio.gather(*(self.consumer.position(tp) for tp in lagging)),
                self.settings.limits.position_seconds_max,
            )
        except TimeoutError:
            return False
        ends = [self._end_offsets[tp.topic, tp.partition] for tp in lagging]
        return all(at is not None and at >= end for at, end in zip(positions, ends, strict=True))

    @property
    def _away(self) -> str:
        """Say for how long the broker has been away; nothing while it answers."""
        seconds = self.away_seconds
        return "" if seconds is None else f"; the broker has been away for {seconds:.0f} s"

    async def _produce(self, topic: str, records: Sequence[OutgoingRecord]) -> Sequence[int]:
        while True:
            try:
                return await self._send(topic, records)
            except KafkaError as error:
                # Waits for a broker that is away; what is sent twice is harmless. A topic that is
                # gone is noticed by the watch.
                if self.settings.once or not error.retriable:
                    raise
                await asyncio.sleep(self.settings.limits.retry_seconds)

    async def _send(self, topic: str, records: Sequence[OutgoingRecord]) -> Sequence[int]:
        producer = cast(Producer, await self.maybe_start_producer())
        return await producer.send_many(self.settings.connection.topic(topic), records)


def _log_lost(letter: DeadLetter) -> None:
    logger.error(
        "EVIDENCE LOST: %s partition %d: %s", letter.source, letter.partition, letter.reason
    )


def _state(kafka: KafkaConnection, limits: KafkaLimits) -> TopicsState:
    with admin_client(kafka, limits) as admin:
        return topics_state(admin, kafka.topics(INPUT_TOPICS))
