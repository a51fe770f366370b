"""Container files read side by side, so that what happened together is read together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from schemas.avro_container import Block, Container
from schemas.batch import MAIN_TABLES, Batch
from schemas.blocks import of_blocks
from schemas.instants import micros_of
from schemas.lines import Progress
from schemas.tables import MAIN_TABLE

_PARTS_A_BATCH = 8  # finer is nearer to the order in time, and dearer to put together
# How much is decoded at once. More is faster; it is what is in memory besides the batch.
_DECODED_EVENTS = 1 << 18  # of all files together
_DECODED_BYTES = 32 << 20  # of one file, at least a block


def side_by_side(
    containers: Sequence[Container], batch_events: int, progress: Progress
) -> Iterator[Batch]:
    """Parts of a batch, each of one file: of every file what happened until an instant, then on.

    Each part has at most an eighth of batch_events. A file is opened when it is its turn, so of
    files that follow each other in time only one is in memory. Exact where a file's own events are
    in the order of time.
    """
    some = max(batch_events // _PARTS_A_BATCH, 1)
    many = max(some, _DECODED_EVENTS // max(len(containers), 1))
    readings = [_Reading(one, many, progress) for one in containers]
    waiting = deque(sorted(readings, key=lambda one: one.first))
    at_work: list[_Reading] = []
    while at_work or waiting:
        if not at_work:
            at_work.append(waiting.popleft())
        ahead = [one.ahead(some) for one in at_work]
        at_work = [one for one, at in zip(at_work, ahead, strict=True) if at is not None]
        instants = [at for at in ahead if at is not None]
        if instants and waiting and waiting[0].first <= min(instants):
            at_work.append(waiting.popleft())
            continue
        for one in at_work:
            yield from one.until(min(instants), some)


def _first_instant(container: Container) -> int:
    """When the first event happened, in microseconds; -1 where that can't be told."""
    block = next(container.blocks(), None)
    if block is None or block.damage is not None:
        return -1
    for datum in container.reader.split(1, block.data)[0]:
        event = container.reader.event_of(datum)
        if not isinstance(event, str):
            micros = micros_of(event[container.event.instant_field])
            return -1 if micros is None else micros
    return -1


class _Reading:
    """A file and how far it has been read. first: the instant of its first event (-1: unknown)."""

    def __init__(self, container: Container, many: int, progress: Progress) -> None:
        self.first = _first_instant(container)
        self._container = container
        self._many = many
        self._progress = progress
        self._last: Block | None = None
        self._batch = Batch.empty()
        self._instants = np.zeros(0, np.int64)
        self._at = 0

    def ahead(self, some: int) -> int | None:
        """The instant that is reached so many events on, at the most; None: all is read."""
        while self._at == len(self._instants) and not self._batch.dead_letters:
            if not self._read():
                return None
        if self._at == len(self._instants):
            return self.first
        return int(self._instants[min(self._at + some, len(self._instants)) - 1])

    def until(self, instant: int, some: int) -> Iterator[Batch]:
        """What happened until then, at most so many events at a time."""
        end = int(np.searchsorted(self._instants, instant, "right"))
        if self._batch.dead_letters:
            yield Batch.of({}, self._batch.dead_letters)
            self._batch = replace(self._batch, dead_letters=())
        while self._at < end:
            upto = min(self._at + some, end)
            yield _cut(self._batch, MAIN_TABLE[self._container.event.name], self._at, upto)
            self._at = upto

    def _read(self) -> bool:
        """Decode more of the file; false at its end."""
        blocks = _next_blocks(self._container, self._last, self._many)
        if not blocks:
            return False
        self._progress(blocks[-1].end - (self._last.end if self._last else 0))
        self._last = blocks[-1]
        self._batch = of_blocks(self._container, blocks)
        events = getattr(self._batch, MAIN_TABLE[self._container.event.name])
        instants = events[self._container.event.instant_field].to_physical().to_numpy()
        self._instants, self._at = np.maximum.accumulate(instants), 0
        return True


def _next_blocks(container: Container, after: Block | None, many: int) -> list[Block]:
    blocks: list[Block] = []
    events = size = 0
    for block in container.blocks(after):
        blocks.append(block)
        events += block.count
        size += len(block.data)
        if events >= many or size >= _DECODED_BYTES:
            break
    return blocks


def _cut(batch: Batch, name: str, start: int, end: int) -> Batch:
    part = getattr(batch, name)[start:end]
    tables = {name: part}
    for hanging in MAIN_TABLES[name]:
        table = getattr(batch, hanging)
        first, last = np.searchsorted(
            table["row"].to_numpy(), [part["row"][0], part["row"][-1] + 1]
        )
        tables[hanging] = table[int(first) : int(last)]
    return Batch.of(tables)
