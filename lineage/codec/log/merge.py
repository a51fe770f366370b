"""Merges container files by instant, so that events close in time are read together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lineage.codec.avro.blocks import in_parts, of_blocks
from lineage.codec.avro.columns import TOGETHER_BYTES
from lineage.codec.avro.container import Block, Container
from lineage.codec.batch import MAIN_TABLE, Batch
from lineage.codec.contract.instants import micros_of
from lineage.codec.json.lines import Progress

_PARTS_A_BATCH = 8  # more parts are nearer to the order in time, and cost more to put together
# Limits on decoding at once, of all files together: at least a block of each. More is faster, and
# is in memory besides the batch.
_DECODED_EVENTS = 1 << 18
_DECODED_BYTES = 32 << 20
_DECODED_BLOCKS = 1 << 14
# While the files being read hold more, no other file is begun, whatever its time.
_HELD_BYTES = 128 << 20


def merge_containers(
    containers: Sequence[Container], batch_events: int, progress: Progress
) -> Iterator[Batch]:
    """Yield parts of a batch, each of one file: of every file the events until an instant, then on.

    Each part has at most an eighth of batch_events. A file is opened when it is its turn, so of
    files that follow each other in time only one is in memory. The order is exact where each file's
    own events are in the order of time.
    """
    some = max(batch_events // _PARTS_A_BATCH, 1)
    files = max(len(containers), 1)
    many, size = max(some, _DECODED_EVENTS // files), _DECODED_BYTES // files
    readings = [_Reading(one, many, size, progress) for one in containers]
    waiting = deque(sorted(readings, key=lambda one: one.first))
    at_work: list[_Reading] = []
    while at_work or waiting:
        if not at_work:
            at_work.append(waiting.popleft())
        ahead = [one.ahead(some) for one in at_work]
        at_work = [one for one, at in zip(at_work, ahead, strict=True) if at is not None]
        instants = [at for at in ahead if at is not None]
        held = sum(one.bytes for one in at_work)
        if held < _HELD_BYTES and instants and waiting and waiting[0].first <= min(instants):
            at_work.append(waiting.popleft())
            continue
        for one in at_work:
            yield from one.until(min(instants), some)


def _first_instant(container: Container) -> int:
    """Return the instant of the first event, in microseconds; -1 where it is unknown."""
    block = next(container.blocks(), None)
    if block is None or block.damage is not None or len(block.data) > TOGETHER_BYTES:
        return -1
    for datums, _ in container.reader.parts(1, block.data):
        event = container.reader.event_of(datums[0])
        if not isinstance(event, str):
            micros = micros_of(event[container.event.instant_field])
            return -1 if micros is None else micros
    return -1


class _Reading:
    """A file and how far it has been read. first: the instant of its first event (-1: unknown)."""

    def __init__(self, container: Container, many: int, size: int, progress: Progress) -> None:
        self.first = _first_instant(container)
        self._container = container
        self._progress = progress
        self._decoded = self._batches(many, size)
        self._batch = Batch.empty()
        self._size = 0
        self._instants = np.zeros(0, np.int64)
        self._at = 0

    @property
    def bytes(self) -> int:
        """Return about how many bytes of the file are in memory, decoded."""
        return self._size

    def ahead(self, some: int) -> int | None:
        """Return the instant that so many further events reach, at the most; None: all is read."""
        while self._at == len(self._instants) and not self._batch.dead_letters:
            if not self._read():
                return None
        if self._at == len(self._instants):
            return self.first
        return int(self._instants[min(self._at + some, len(self._instants)) - 1])

    def until(self, instant: int, some: int) -> Iterator[Batch]:
        """Yield the events until an instant, at most so many at a time."""
        end = int(np.searchsorted(self._instants, instant, "right"))
        if self._batch.dead_letters:
            yield Batch.of({}, self._batch.dead_letters)
            self._batch = replace(self._batch, dead_letters=())
        while self._at < end:
            upto = min(self._at + some, end)
            yield self._batch.cut(MAIN_TABLE[self._container.event.name], self._at, upto)
            self._at = upto

    def _read(self) -> bool:
        """Take the next decoded batch; return false at the file's end."""
        batch = next(self._decoded, None)
        if batch is None:
            return False
        self._batch, self._size = batch, batch.bytes
        events = getattr(batch, MAIN_TABLE[self._container.event.name])
        instants = events[self._container.event.instant_field].to_physical().to_numpy()
        self._instants, self._at = np.maximum.accumulate(instants), 0
        return True

    def _batches(self, many: int, size: int) -> Iterator[Batch]:
        last: Block | None = None
        while blocks := _next_blocks(self._container, last, many, size):
            self._progress(blocks[-1].end - (last.end if last else 0))
            last = replace(blocks[-1], data=b"")
            # Decoded blocks are freed at once, since other files wait with theirs meanwhile.
            batch, blocks = of_blocks(self._container, blocks)
            yield batch
            for block in blocks:
                yield from in_parts(self._container, block)


def _next_blocks(container: Container, after: Block | None, many: int, most: int) -> list[Block]:
    blocks: list[Block] = []
    events = size = 0
    for block in container.blocks(after):
        blocks.append(block)
        events += block.count
        size += len(block.data)
        if events >= many or size >= most or len(blocks) >= _DECODED_BLOCKS:
            break
    return blocks
