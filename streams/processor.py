"""The Faust app: an agent for each topic, all of them thin around the recorder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import faust
from faust.streams import Stream
from faust.types import TP, StreamT

from schemas import DeadLetter, Encoder
from streams.client import check_bootstrap
from streams.decoding import Decoding, registry_at
from streams.errors import LostEvidenceError, WorkerError
from streams.garbage import few_collections, usual_collections
from streams.recorder import Recorder
from streams.settings import Settings
from streams.sink import StoreSink
from streams.topics import INPUT_TOPICS, MESSAGE_BYTES_MAX, create_topics, end_offsets

__all__ = ["LineageApp"]

logger = logging.getLogger(__name__)

# Of one partition at a time: some thousand events; a single larger one still comes through. More
# lets one topic run far ahead of the others, and hops without their messages cost much more.
_FETCH_BYTES_MAX = 1024 * 1024
# Faust reports a partition as stuck after so long without an event; ours are often quiet.
_SILENT_SECONDS_MAX = 7 * 24 * 3600.0
_STALLED_SECONDS_MAX = 60.0
# What was fetched is with the recorder after so long.
_QUIET_SECONDS_MIN = 2.0


class LineageApp(faust.App):
    """Reads the five topics into the store of `settings`.

    on_end: called once, on the event loop, when it cannot or need not go on: with the error, or
    with None when `settings.once` is set and all that was there at the start is recorded. It
    has to end the process, or at least the app: the app does nothing more by itself.
    progress: gets the number of further Kafka records that were read and committed.
    """

    def __init__(
        self,
        settings: Settings,
        on_end: Callable[[BaseException | None], None],
        progress: Callable[[int], None] = lambda records: None,
    ) -> None:
        super().__init__(settings.group, **_configuration(settings))
        self.settings = settings
        self._on_end = on_end
        self._ended = False
        self._prepared = False
        self._ends: dict[tuple[str, int], int] = {}
        self._watch: asyncio.Task[None] | None = None
        self._decoding = Decoding(settings.registry_url)
        encoder = Encoder(registry_at(settings.registry_url))
        self.recorder = Recorder(
            lambda: StoreSink(settings.db, encoder, settings.memory_mib),
            self._decoding.prepared,
            self._produce,
            self.end,
            progress,
        )
        for topic in INPUT_TOPICS:
            channel = self.topic(topic, key_serializer="raw", value_serializer="raw")
            self.agent(channel, name=topic)(self._agent)

    async def _agent(self, stream: StreamT[Any]) -> None:
        # Without acknowledgement by Faust itself: it would come before the commit.
        async for event in cast("Stream[Any]", stream).noack().events():
            try:
                await self.recorder.read(event.value, event.ack)
            except Exception as error:
                self.end(error)
                return

    def end(self, error: BaseException | None) -> None:
        """Say that the app cannot (an error) or need not (None) go on. Only the first counts."""
        if not self._ended:
            self._ended = True
            self._on_end(error)

    async def prepare(self) -> None:
        """Make sure of topics and store before Faust connects.

        Raises BrokerUnavailableError, TopicError, and what `lineage.open` raises.
        """
        bootstrap = self.settings.bootstrap
        self._decoding.open()  # its process starts while the rest is looked after
        try:
            await asyncio.to_thread(create_topics, bootstrap)
            self._ends = await asyncio.to_thread(end_offsets, bootstrap, INPUT_TOPICS)
            await self.recorder.open()
        except BaseException:
            self._decoding.close()
            raise
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
        self.recorder.start()
        if self.settings.once:
            self._watch = asyncio.create_task(self._end_when_recorded())

    async def on_stop(self) -> None:
        """Stop recording first: what is committed by then can still be acknowledged."""
        if self._watch is not None:
            self._watch.cancel()
        await self.recorder.stop()
        self._decoding.close()
        usual_collections()
        await super().on_stop()

    async def start_offsets(self, partitions: set[TP]) -> Mapping[TP, int]:
        """Return where to read on: the store's positions, else the first offset there is."""
        if not partitions:
            return {}
        try:
            return await self._start_offsets(partitions)
        except Exception as error:
            self.end(error)
            # Faust would log it and read on from somewhere; it is not let to until it stops.
            await asyncio.Event().wait()
            raise

    async def _start_offsets(self, partitions: set[TP]) -> Mapping[TP, int]:
        self._say_what_is_not_ours(partitions)
        earliest = await self.consumer.earliest_offsets(*partitions)
        ends = await self.consumer.highwaters(*partitions)
        starts: dict[TP, int] = {}
        for tp in partitions:
            stored = self.recorder.positions.get((tp.topic, tp.partition))
            if stored is None:
                starts[tp] = earliest[tp]
                if earliest[tp] > 0:
                    self._say_lost(tp, 0, earliest[tp])
            elif stored > ends[tp]:
                raise LostEvidenceError(
                    f"{self.settings.db} has recorded {tp.topic} partition {tp.partition} up to "
                    f"offset {stored}, but it ends at {ends[tp]}: this is not the topic that the "
                    "database was read from; give the broker it came from, or a new database"
                )
            else:
                starts[tp] = max(stored, earliest[tp])
                if earliest[tp] > stored:
                    self._say_lost(tp, stored, earliest[tp])
        return starts

    def _say_lost(self, tp: TP, first: int, earliest: int) -> None:
        """Say loudly, and record where auditors look, that records were never read."""
        reason = (
            f"offsets {first} to {earliest - 1} were deleted from the topic before they were "
            "read; set retention.ms=-1 on it"
        )
        logger.error("EVIDENCE LOST: %s partition %d: %s", tp.topic, tp.partition, reason)
        letter = DeadLetter.of(tp.topic, tp.partition, first, reason, None)
        self.recorder.note_lost((tp.topic, tp.partition), letter, earliest)

    def _say_what_is_not_ours(self, partitions: set[TP]) -> None:
        missing = set(self._ends) - {(tp.topic, tp.partition) for tp in partitions}
        if not missing:
            return
        message = (
            f"another worker of the group {self.settings.group} reads {len(missing)} of "
            f"{len(self._ends)} partitions, so {self.settings.db} would get only a part of the "
            "events; end it, or give one of the two another group"
        )
        if self.settings.once:
            raise WorkerError(message)
        logger.error("%s", message)

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
        before, quiet_since = dict(self.recorder.positions), clock()
        while lagging := self._lagging():
            await asyncio.sleep(0.1)
            if self.recorder.positions != before or not self.recorder.idle:
                before, quiet_since = dict(self.recorder.positions), clock()
            quiet = clock() - quiet_since
            if quiet > _QUIET_SECONDS_MIN and await self._passed(lagging):
                break
            if quiet > _STALLED_SECONDS_MAX:
                raise WorkerError(
                    f"nothing came from {self.settings.bootstrap} for {quiet:.0f} s though there "
                    "is more to read; what was recorded is safe, so start the worker again when "
                    "the broker is well"
                )
        while not self.recorder.idle:  # flags may be on their way
            await asyncio.sleep(0.05)

    def _lagging(self) -> list[TP]:
        positions = self.recorder.positions
        return [TP(*at) for at, end in self._ends.items() if positions.get(at, 0) < end]

    async def _passed(self, lagging: list[TP]) -> bool:
        """Say if the rest are no records: a transaction's last offset is only a mark."""
        if not self.consumer.assignment().issuperset(lagging):
            return False  # the group is still forming
        try:
            positions = await asyncio.wait_for(
                asyncio.gather(*(self.consumer.position(tp) for tp in lagging)), 5
            )
        except asyncio.TimeoutError:
            return False
        ends = [self._ends[tp.topic, tp.partition] for tp in lagging]
        return all(at is not None and at >= end for at, end in zip(positions, ends, strict=True))

    async def _produce(
        self, topic: str, key: bytes | None, value: bytes | None, tags: list[tuple[str, bytes]]
    ) -> Awaitable[object]:
        producer = await self.maybe_start_producer()
        acknowledged: Awaitable[object]
        acknowledged = await producer.send(topic, key, value, None, None, tags)
        return acknowledged


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "broker": [f"batched://{address}" for address in check_bootstrap(settings.bootstrap)],
        "Worker": "streams.worker:BoundedWorker",
        "autodiscover": False,
        "store": "memory://",
        "web_enabled": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        # Without tables there is nothing to stand by for, and Kafka's round robin will do.
        "table_standby_replicas": 0,
        "key_serializer": "raw",
        "value_serializer": "raw",
        # A stream's buffer counts fetched lists, not events.
        "stream_buffer_maxsize": 2,
        "stream_recovery_delay": 0.0,
        "stream_processing_timeout": _SILENT_SECONDS_MAX,
        "broker_commit_livelock_soft_timeout": _SILENT_SECONDS_MAX,
        # A worker that was killed counts as gone after so long; the next one waits for it.
        "broker_session_timeout": 10.0,
        "broker_heartbeat_interval": 2.0,
        "broker_request_timeout": 30.0,
        "broker_commit_interval": 1.0,
        # A transaction can take long where a late declaration touches much of the history.
        "broker_max_poll_interval": 3600.0,
        "consumer_max_fetch_size": _FETCH_BYTES_MAX,
        # Where to start is said by start_offsets. An offset that is gone must never be passed
        # over without a word.
        "consumer_auto_offset_reset": "none",
        "producer_request_timeout": 30.0,
        "producer_max_request_size": MESSAGE_BYTES_MAX,
        "producer_linger": 0.0,
    }
