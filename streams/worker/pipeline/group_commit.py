"""Decodes and records what was read, and only then acknowledges it: group commit.

Records that have piled up, of all topics and partitions, are decoded together and applied by one
writer thread as one batch in one transaction: little when little comes in, much under load; reading
waits where too much is queued (backpressure). The order of steps makes a kill at any time harmless:

1. dead letters go to their topic, and are acknowledged by the broker;
2. events, lineage, flags, dead letters and the positions read up to are committed together;
3. the records are acknowledged to Faust, whose commits to Kafka are only advice;
4. flags go to their topic, and are marked as published once they are acknowledged.

Where hops that move very much come together, a group is several transactions, and the positions are
committed with the last: what is recorded by then and read again changes nothing.

Whatever was not committed is read again, from the positions in the store. Records that are read
twice are deduplicated here by their offset, so they are never applied twice. Topics may get a dead
letter or a flag twice: at least once is what they promise.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from time import perf_counter
from typing import Protocol, TypeVar

from lineage import BatchResult
from lineage.codec import DeadLetter
from lineage.database.positions import TopicIdentity
from lineage.ingest.encode import EncodedBatch
from streams.kafka.producer import Produce, send_dead_letters, send_flags
from streams.kafka.records import OriginalRecord, Place, Records, originals_at
from streams.kafka.topics.marks import Mark, Marks, mark_of
from streams.metrics.meter import Meter, totals
from streams.worker.limits import WORKER_LIMITS, WorkerLimits
from streams.worker.reports.tally import Tally

__all__ = ["GroupCommitter", "Sink"]

Partition = tuple[str, int]
T = TypeVar("T")


class Sink(Protocol):
    """The store, as the group committer needs it; all methods are called in the same thread."""

    def positions(self) -> dict[Partition, int]:
        """Return (topic, partition) to the offset that comes next."""

    def hashes(self) -> dict[Partition, str]:
        """Return the SHA-256 (hex) of the record before each position, where it is known."""

    def identities(self) -> dict[str, TopicIdentity]:
        """Return topic to the identity of the topic that the positions are of."""

    def identify(self, identities: Mapping[str, TopicIdentity]) -> None:
        """Keep the identity of topics."""

    def apply(
        self,
        batch: EncodedBatch,
        positions: Mapping[Partition, int],
        hashes: Mapping[Partition, str],
    ) -> BatchResult:
        """Record all in one transaction, or raise.

        positions: (topic, partition) to the next offset; hashes: to the SHA-256 (hex) of the record
        before it, if that was read.
        """

    def flags(self) -> tuple[int, Sequence[tuple[bytes, bytes]]]:
        """Return the flags to be published next: their last number; keys and values."""

    def published(self, number: int) -> bool:
        """Note that all up to this number is published; say if there may be more to publish."""

    def close(self) -> None:
        """Close the store."""


@dataclass(frozen=True)
class _QueuedRecords:
    """A fetched list and how to acknowledge it, and a letter about records that are gone.

    gone: there is no list, and the records only stand for those that the letter is about.
    """

    records: Records
    ack: Callable[[], object] = field(repr=False)
    letter: DeadLetter | None = None
    gone: bool = False

    @property
    def partition(self) -> Partition:
        return self.records.topic, self.records.partition

    @cached_property
    def bytes(self) -> int:
        return sum(map(len, filter(None, self.records.values)))


@dataclass(frozen=True)
class _Group:
    """Lists that are recorded together, decoded, and where to go on from after them.

    acks: how each is acknowledged. records: how many there are in all. originals: the records that
    became dead letters. topics: records and bytes by topic. latest: the time in Kafka, in
    milliseconds, of the last record of each partition. The lists themselves are let go of.
    """

    acks: Sequence[Callable[[], object]]
    records: int
    parts: Sequence[EncodedBatch]
    originals: Mapping[Place, OriginalRecord]
    positions: Mapping[Partition, int]
    marks: Marks
    topics: Mapping[str, tuple[int, int]]
    latest: Mapping[Partition, int]


class GroupCommitter:
    """Records what the agents read. Its methods run on one event loop.

    decode: fetched lists and further dead letters to batches that are ready to be applied; called
    in a thread of its own. open_sink: called in the writer's thread. fail: told of the error that
    ends it, once; nothing is recorded or acknowledged afterwards. tally, meter: count what is
    recorded; latest: the time in Kafka, in milliseconds, of the last record of each partition.
    `positions` are what is recorded, and `marks` the last records of it.
    """

    def __init__(
        self,
        open_sink: Callable[[], Sink],
        decode: Callable[[Sequence[Records], Sequence[DeadLetter]], Sequence[EncodedBatch]],
        produce: Produce,
        fail: Callable[[BaseException], None],
        tally: Tally | None = None,
        limits: WorkerLimits = WORKER_LIMITS,
        meter: Meter | None = None,
    ) -> None:
        self._open_sink = open_sink
        self._decode = decode
        self._produce = produce
        self._fail = fail
        self.tally = tally or Tally()
        self.meter = meter or Meter()
        self.latest: dict[Partition, int] = {}
        self._limits = limits
        # Prefetch: the next group is decoded while the one before it is written.
        self._decode_thread = ThreadPoolExecutor(1, thread_name_prefix="decode")
        # One: a DuckDB connection belongs to one thread, and one writer needs no locks.
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="record")
        self._queue: deque[_QueuedRecords] = deque()
        self._queued = 0
        self._taken = 0
        self._recording = False
        self._stopping = False
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sink: Sink | None = None
        self._prefetched_to: dict[Partition, int] = {}
        self.positions: dict[Partition, int] = {}
        self.marks: dict[Partition, Mark] = {}
        self.identities: dict[str, TopicIdentity] = {}

    async def open(self) -> None:
        """Open the store and read its positions. Raises what the store raises."""
        self._sink = await self._write(self._open_sink)
        self.positions = await self._write(self._sink.positions)
        self.identities = await self._write(self._sink.identities)
        hashes = await self._write(self._sink.hashes)
        self.marks = {at: Mark(self.positions[at] - 1, sha256) for at, sha256 in hashes.items()}
        self._prefetched_to = dict(self.positions)

    async def identify(self, identities: Mapping[str, TopicIdentity]) -> None:
        """Keep the identity of the topics that are read. Raises what the store raises."""
        await self._write(lambda: self._open.identify(identities))
        self.identities |= identities

    def start(self) -> None:
        """Start recording."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Finish what is being recorded, leave the rest unacknowledged, and close the store."""
        self._stopping = True
        self._changed.set()
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task = None
        sink, self._sink = self._sink, None
        if sink is not None:
            await self._write(sink.close)
        self._decode_thread.shutdown(wait=False)
        self._writer_thread.shutdown(wait=False)

    def cancel(self) -> None:
        """Give up what is being sent: it is sent again by the next worker."""
        if self._task is not None:
            self._task.cancel()

    @property
    def idle(self) -> bool:
        """True if nothing that was read waits to be recorded, published or acknowledged."""
        return not (self._queue or self._taken)

    @property
    def queued(self) -> int:
        """Return how many records wait for a transaction."""
        return self._queued

    async def read(
        self, records: Records, ack: Callable[[], object], letter: DeadLetter | None = None
    ) -> None:
        """Queue records, and a letter about others; `ack` is called when they are recorded.

        Call it for the records of one partition in their order, one after the other. Waits
        where too much is queued already (backpressure). Once it is stopping, nothing is taken.
        """
        if self._stopping:
            return
        self._enqueue(_QueuedRecords(records, ack, letter))
        while self._queued >= self._limits.queued_events_max and not self._stopping:
            self._changed.clear()
            await self._changed.wait()

    def note_lost(self, partition: Partition, letter: DeadLetter, next_offset: int) -> None:
        """Record, in its turn, that records of a partition were gone before they were read."""
        topic, number = partition
        lost = Records(topic, number, [next_offset - 1], [None])
        self._enqueue(_QueuedRecords(lost, lambda: None, letter, gone=True))

    def _enqueue(self, read: _QueuedRecords) -> None:
        self._queue.append(read)
        self._queued += len(read.records)
        self._changed.set()

    async def _run(self) -> None:
        prefetch: asyncio.Task[_Group | None] | None = None
        try:
            await self._publish_flags()
            prefetch = asyncio.create_task(self._prefetch())
            while (group := await prefetch) is not None and not self._stopping:
                self._recording = True
                prefetch = asyncio.create_task(self._prefetch())
                await self._record(group)
                self._taken -= len(group.acks)
                self._changed.set()
        except Exception as error:
            self._stopping = True
            self._fail(error)
        finally:
            if prefetch is not None:
                prefetch.cancel()
            self._changed.set()  # let go of those who wait for room

    async def _prefetch(self) -> _Group | None:
        """Prefetch: decode the next group. None once it is stopping.

        While a transaction runs, what comes in is left to pile up, unless it is much already.
        """
        piled_up = bool(self._queue)
        prefetch_min = self._limits.prefetch_events_min
        while not self._stopping:
            if self._queue and (not self._recording or self._queued >= prefetch_min):
                if not piled_up:
                    await asyncio.sleep(self._limits.fetch_gap_seconds)
                return await self._decode_reads(self._take())
            piled_up = self._recording
            self._changed.clear()
            await self._changed.wait()
        return None

    def _take(self) -> list[_QueuedRecords]:
        self._queue = deque(_ordered_by_time(self._queue))
        group = [self._queue.popleft()]
        events, size = len(group[0].records), group[0].bytes
        limits = self._limits
        while self._queue:
            events += len(self._queue[0].records)
            size += self._queue[0].bytes
            if events > limits.group_events_max or size > limits.group_bytes_max:
                break
            group.append(self._queue.popleft())
        self._queued -= sum(len(read.records) for read in group)
        self._taken += len(group)
        self._changed.set()
        return group

    async def _decode_reads(self, reads: list[_QueuedRecords]) -> _Group:
        """Decode the records that were not read before: after a rebalance, lists can overlap."""
        lists: list[Records] = []
        positions: dict[Partition, int] = {}
        marks: dict[Partition, Mark] = {}
        letters: list[DeadLetter] = []
        for read in reads:
            new = read.records.since(self._prefetched_to.get(read.partition, 0))
            if new is None:
                continue
            self._prefetched_to[read.partition] = positions[read.partition] = new.next_offset
            if read.letter is not None:
                letters.append(read.letter)
            letters += new.refusals()
            known = None if read.gone else new.read()
            if known is not None:
                lists.append(known)
            if known is not None and known.next_offset == new.next_offset:
                marks[read.partition] = mark_of(new)
            else:
                marks.pop(read.partition, None)
        begun = perf_counter()
        parts = await self._in_thread(self._decode_thread, lambda: self._decode(lists, letters))
        self.meter.decoded(perf_counter() - begun)
        dead = (letter for part in parts for letter in part.dead_letters)
        places = ((letter.source, letter.partition, letter.position) for letter in dead)
        acks, records = [read.ack for read in reads], sum(len(read.records) for read in reads)
        originals = originals_at(lists, places)
        topics = totals((read.records.topic, len(read.records), read.bytes) for read in reads)
        latest = {(one.topic, one.partition): one.latest or 0 for one in lists}
        return _Group(acks, records, parts, originals, positions, marks, topics, latest)

    async def _record(self, group: _Group) -> None:
        if group.positions:
            for part in group.parts:
                await send_dead_letters(self._produce, part.dead_letters, group.originals)
            sink = self._open
            *others, last = group.parts
            for part in others:
                await self._apply(partial(sink.apply, part, {}, {}))
            hashes = {at: mark.sha256 for at, mark in group.marks.items()}
            await self._apply(lambda: sink.apply(last, group.positions, hashes))
            self.positions.update(group.positions)
            self.marks.update(group.marks)
            self.latest.update(group.latest)
        self._recording = False
        self._changed.set()  # the next group is decoded while flags are published
        for ack in group.acks:
            ack()
        self.tally.records += group.records
        self.meter.recorded(group.topics)
        await self._publish_flags()

    async def _apply(self, apply: Callable[[], BatchResult]) -> None:
        begun = perf_counter()
        result = await self._write(apply)
        self.meter.committed(result, perf_counter() - begun)
        self.tally.add(result)

    async def _publish_flags(self) -> None:
        """Publish flags, some at a time, until there are none, or it is to stop."""
        more = True
        while more:
            number, flags = await self._write(self._open.flags)
            if not flags:
                return
            await send_flags(self._produce, flags)
            noted = partial(self._open.published, number)
            more = await self._write(noted) and not self._stopping

    async def ask(self, work: Callable[[], T]) -> T:
        """Return the result of work on the store, done in the writer's thread, between groups."""
        return await self._write(work)

    async def _write(self, work: Callable[[], T]) -> T:
        return await self._in_thread(self._writer_thread, work)

    @staticmethod
    async def _in_thread(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    @property
    def _open(self) -> Sink:
        if self._sink is None:
            raise RuntimeError("the recorder has not been started")
        return self._sink


def _ordered_by_time(queue: Iterable[_QueuedRecords]) -> list[_QueuedRecords]:
    """Order lists by the time of their first record in Kafka, so that topics are merged in time.

    The lists of one partition keep their order.
    """
    latest: dict[Partition, int] = {}
    keyed: list[tuple[int, _QueuedRecords]] = []
    for read in queue:
        at = max(read.records.timestamp or 0, latest.get(read.partition, 0))
        latest[read.partition] = at
        keyed.append((at, read))
    return [read for _, read in sorted(keyed, key=lambda pair: pair[0])]
