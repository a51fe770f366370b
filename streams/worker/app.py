"""Wires the Faust app: an agent for each topic, all of them thin around the group committer."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import faust
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from faust.streams import Stream
from faust.types import TP, StreamT

from lineage.codec import Encoder
from streams.alerts.dispatch import Dispatcher
from streams.kafka.fetch.transport import Consumer, Producer
from streams.kafka.records import OutgoingRecord
from streams.kafka.registry.client import registry_at
from streams.kafka.topics.topics import (
    INPUT_TOPICS,
)
from streams.kafka.topics.watch import TopicWatch
from streams.metrics.progress import Progress
from streams.serve.server import QuestionServer
from streams.worker.alerts import start_alerts
from streams.worker.configuration.faust_configuration import faust_configuration
from streams.worker.configuration.gc_tuning import few_collections, usual_collections
from streams.worker.configuration.settings import Settings
from streams.worker.once import until_recorded
from streams.worker.pipeline.decode import Decoders
from streams.worker.pipeline.gaps import CompactionGaps, log_lost
from streams.worker.pipeline.group_commit import GroupCommitter
from streams.worker.pipeline.sink import StoreSink
from streams.worker.progress import progress_of
from streams.worker.serve import start_server
from streams.worker.start.group import Alone
from streams.worker.start.offsets import start_offsets
from streams.worker.start.preparation import Preparation

__all__ = ["LineageApp"]

logger = logging.getLogger(__name__)


class LineageApp(faust.App):
    """Reads the six topics into the store of `settings`.

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
        self._preparation = Preparation(settings, self.committer)
        self._alone = Alone(settings)
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
                    log_lost(letter)
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
        """Make sure of topics and store before Faust connects. Raises as `Preparation` does."""
        self._decoders.open()  # its process starts while the rest is looked after
        try:
            state = await self._preparation.prepare()
        except BaseException:
            self._decoders.close()
            await self.committer.stop()
            raise
        self._gaps = CompactionGaps(self._preparation.compacted)
        committer = self.committer
        self._watch = TopicWatch(
            self.settings.connection, self.settings.db, state, lambda: committer.positions,
            self.end, self.kafka_limits,
            marks=lambda: committer.marks, waits=not self.settings.once,
        )  # fmt: skip
        self._prepared = True

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
        own_id = cast(Consumer, self.consumer).member_id
        await self._alone.check(own_id, partitions, self._preparation.ends)
        starts = await start_offsets(self.consumer, self.committer, partitions)
        self._gaps.start(starts)
        return starts

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
            await until_recorded(self, self._preparation.ends)
        except Exception as error:
            self.end(error)
        else:
            self.end(None)

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
