"""From what was read to what is recorded: decode, group, commit, and only then acknowledge.

Every fetched list is decoded in a thread of its own. One writer thread applies what has piled
up meanwhile, of all topics and partitions, as one batch in one transaction: little when little
comes in, much under load. The order of it is what makes a kill at any point harmless:

1. dead letters go to their topic, and are acknowledged by the broker;
2. events, lineage, flags, dead letters and the positions read up to are committed together;
3. the records are acknowledged to Faust, whose commits to Kafka are only advice;
4. flags go to their topic, and are marked as published once they are acknowledged.

Whatever was not committed is read again, from the positions in the store. What is read twice is
left out here, by its offset, so it is never applied twice. Topics may get a dead letter or a
flag twice: at least once is what they promise.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, TypeVar

from lineage.policies import accept
from schemas import Batch, DeadLetter
from streams.outgoing import Produce, send_dead_letters, send_flags
from streams.transport import Records

__all__ = ["GROUP_EVENTS_MAX", "Recorder", "Sink"]

# Bounds on one transaction, which must hold both: an event that moves many records is one event,
# but weighs more.
GROUP_EVENTS_MAX = 50_000
GROUP_BYTES_MAX = 8 * 1024 * 1024
_QUEUED_EVENTS_MAX = 100_000
# So often must nothing be decoding, so far apart, before what was fetched counts as complete.
_SETTLED = 2
_SETTLE_SECONDS = 0.01
Partition = tuple[str, int]
T = TypeVar("T")


class Sink(Protocol):
    """What the recorder needs of a store; every method is called in one and the same thread."""

    def positions(self) -> dict[Partition, int]:
        """(topic, partition) to the offset that comes next."""

    def apply(self, batch: Batch, positions: Mapping[Partition, int]) -> None:
        """Record both in one transaction, or raise."""

    def flags(self) -> tuple[int, Sequence[tuple[bytes, bytes]]]:
        """What was raised and cleared but not published: its last number; keys and values."""

    def published(self, number: int) -> None:
        """Note that all up to this number is published."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True)
class _Read:
    """A fetched list, decoded, and how to acknowledge it."""

    records: Records
    batch: Batch
    ack: Callable[[], object] = field(repr=False)

    @property
    def partition(self) -> Partition:
        return self.records.topic, self.records.partition

    @cached_property
    def bytes(self) -> int:
        return sum(len(value) for value in self.records.values if value is not None)


class Recorder:
    """Records what the agents read. Its methods run on one event loop.

    decode: fetched records to a Batch; called in threads. sink: opened in the writer's thread.
    fail: told of the error that ends it, once; nothing is recorded or acknowledged afterwards.
    progress: gets the number of further records that were committed.
    """

    def __init__(
        self,
        open_sink: Callable[[], Sink],
        decode: Callable[[Records], Batch],
        produce: Produce,
        fail: Callable[[BaseException], None],
        progress: Callable[[int], None] = lambda records: None,
    ) -> None:
        self._open_sink = open_sink
        self._decode = decode
        self._produce = produce
        self._fail = fail
        self._progress = progress
        # Two: while one list is waited for, the next can be decoded.
        self._decoders = ThreadPoolExecutor(2, thread_name_prefix="decode")
        # One: a DuckDB connection belongs to one thread, and one writer needs no locks.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="record")
        self._queue: deque[_Read] = deque()
        self._queued = 0
        self._decoding = 0
        self._stopping = False
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sink: Sink | None = None
        self._recording = False
        self.positions: dict[Partition, int] = {}

    async def open(self) -> None:
        """Open the store and read its positions. Raises what the store raises."""
        self._sink = await self._write(self._open_sink)
        self.positions = await self._write(self._sink.positions)

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
        self._decoders.shutdown(wait=False)
        self._writer.shutdown(wait=False)

    @property
    def idle(self) -> bool:
        """True if nothing that was read waits to be recorded, published or acknowledged."""
        return not (self._queue or self._decoding or self._recording)

    async def read(self, records: Records, ack: Callable[[], object]) -> None:
        """Decode records and queue them; `ack` is called when they are recorded.

        Call it for the records of one partition in their order, one after the other. Waits
        where too much is queued already. Once it is stopping, nothing is taken any more.
        """
        if self._stopping:
            return
        self._decoding += 1
        try:
            batch = await self._in_thread(self._decoders, lambda: self._decode(records))
        finally:
            self._decoding -= 1
        self._enqueue(_Read(records, batch, ack))
        while self._queued >= _QUEUED_EVENTS_MAX and not self._stopping:
            self._changed.clear()
            await self._changed.wait()

    def note_lost(self, partition: Partition, letter: DeadLetter, next_offset: int) -> None:
        """Record, in its turn, that records of a partition were gone before they were read."""
        topic, number = partition
        lost = Records(topic, number, [next_offset - 1], [None], [None], [None], [()])
        self._enqueue(_Read(lost, Batch.of({}, [letter]), lambda: None))

    def _enqueue(self, read: _Read) -> None:
        self._queue.append(read)
        self._queued += len(read.records)
        self._changed.set()

    async def _run(self) -> None:
        try:
            await self._publish_flags()
            while not self._stopping:
                if self._queue:
                    self._recording = True
                    await self._let_the_rest_of_a_fetch_come()
                    await self._record(self._take())
                    self._recording = False
                else:
                    self._changed.clear()
                    await self._changed.wait()
        except Exception as error:
            self._stopping = True
            self._fail(error)
        finally:
            self._changed.set()  # let go of those who wait for room

    async def _let_the_rest_of_a_fetch_come(self) -> None:
        """Wait while further lists of the same fetch are being decoded.

        One topic read ahead of the others costs far more: hops wait in the store for messages.
        """
        quiet = 0
        while quiet < _SETTLED and self._queued < GROUP_EVENTS_MAX and not self._stopping:
            quiet = 0 if self._decoding else quiet + 1
            await asyncio.sleep(_SETTLE_SECONDS)

    def _take(self) -> list[_Read]:
        self._queue = deque(_in_time(self._queue))
        group = [self._queue.popleft()]
        events, size = len(group[0].records), group[0].bytes
        while self._queue:
            events += len(self._queue[0].records)
            size += self._queue[0].bytes
            if events > GROUP_EVENTS_MAX or size > GROUP_BYTES_MAX:
                break
            group.append(self._queue.popleft())
        self._queued -= sum(len(read.records) for read in group)
        self._changed.set()
        return group

    async def _record(self, group: list[_Read]) -> None:
        batches: list[Batch] = []
        positions: dict[Partition, int] = {}
        for read in group:
            known = positions.get(read.partition, self.positions.get(read.partition, 0))
            fresh = await self._unread(read, known)
            if fresh is not None:
                batches.append(fresh)
                positions[read.partition] = read.records.next_offset
        if batches:
            batch = await self._write(lambda: _judged(Batch.concat(batches), group))
            await send_dead_letters(self._produce, batch.dead_letters)
            sink = self._open
            await self._write(lambda: sink.apply(batch, positions))
            self.positions.update(positions)
        for read in group:
            read.ack()
        self._progress(sum(len(read.records) for read in group))
        await self._publish_flags()

    async def _unread(self, read: _Read, known: int) -> Batch | None:
        """Return what of it is not recorded yet; after a rebalance, lists can overlap."""
        records = read.records
        if records.offsets[0] >= known:
            return read.batch
        rest = records.since(known)
        if rest is None:
            return None
        return await self._in_thread(self._decoders, lambda: self._decode(rest))

    async def _publish_flags(self) -> None:
        number, flags = await self._write(self._open.flags)
        if flags:
            await send_flags(self._produce, flags)
            await self._write(lambda: self._open.published(number))

    async def _write(self, work: Callable[[], T]) -> T:
        return await self._in_thread(self._writer, work)

    @staticmethod
    async def _in_thread(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    @property
    def _open(self) -> Sink:
        if self._sink is None:
            raise RuntimeError("the recorder has not been started")
        return self._sink


def _in_time(queue: Iterable[_Read]) -> list[_Read]:
    """Return lists by the time that Kafka has for their first record, those of one partition
    in their order: topics that were written together are read together.
    """
    latest: dict[Partition, int] = {}
    keyed: list[tuple[int, _Read]] = []
    for read in queue:
        at = max(read.records.timestamps[0] or 0, latest.get(read.partition, 0))
        latest[read.partition] = at
        keyed.append((at, read))
    return [read for _, read in sorted(keyed, key=lambda pair: pair[0])]


def _judged(batch: Batch, group: Sequence[_Read]) -> Batch:
    """Return the batch with all its dead letters, each with the bytes that Kafka had.

    A policy's document is judged by lineage, not by its schema. That is done here, ahead of
    applying, since dead letters go out before the commit; there it then costs nothing.
    """
    accepted, _ = accept(batch)
    late = accepted.dead_letters[len(batch.dead_letters) :]
    if not late:
        return accepted
    originals: dict[Partition, list[Records]] = {read.partition: [] for read in group}
    for read in group:
        originals[read.partition].append(read.records)
    letters = [_with_original(one, originals[one.source, one.partition]) for one in late]
    return replace(accepted, dead_letters=(*batch.dead_letters, *letters))


def _with_original(letter: DeadLetter, candidates: Sequence[Records]) -> DeadLetter:
    values = (records.value_at(letter.position) for records in candidates)
    value = next((value for value in values if value is not None), None)
    return DeadLetter.of(letter.source, letter.partition, letter.position, letter.reason, value)
