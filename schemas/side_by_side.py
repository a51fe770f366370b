"""Container files read side by side, so that what happened together is read together."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

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
    """Parts of a batch, each of one file: always of the one that is furthest behind in time.

    Each part has at most an eighth of batch_events. A file is opened when it is its turn, so of
    files that follow each other in time only one is in memory.
    """
    some = max(batch_events // _PARTS_A_BATCH, 1)
    many = max(some, _DECODED_EVENTS // max(len(containers), 1))
    turns = [
        (_first_instant(one), at, _parts(one, some, many, progress))
        for at, one in enumerate(containers)
    ]
    heapq.heapify(turns)
    while turns:
        reached, at, parts = turns[0]
        part = next(parts, None)
        if part is None:
            heapq.heappop(turns)
        else:
            heapq.heapreplace(turns, (max(reached, part[0]), at, parts))
            yield part[1]


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


def _parts(
    container: Container, some: int, many: int, progress: Progress
) -> Iterator[tuple[int, Batch]]:
    """Batches of at most so many events, each with its latest instant (-1: there is none)."""
    last: Block | None = None
    while blocks := _next_blocks(container, last, many):
        progress(blocks[-1].end - (last.end if last else 0))
        last = blocks[-1]
        yield from _cut(container, of_blocks(container, blocks), some)


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


def _cut(container: Container, batch: Batch, some: int) -> Iterator[tuple[int, Batch]]:
    name = MAIN_TABLE[container.event.name]
    main = getattr(batch, name)
    for start in range(0, max(main.height, 1), some):
        part = main[start : start + some]
        tables = {name: part}
        for hanging in MAIN_TABLES[name] if part.height else ():
            table = getattr(batch, hanging)
            first, last = np.searchsorted(
                table["row"].to_numpy(), [part["row"][0], part["row"][-1] + 1]
            )
            tables[hanging] = table[int(first) : int(last)]
        instant = part[container.event.instant_field].to_physical().max()
        letters = () if start else batch.dead_letters
        yield -1 if instant is None else int(instant), Batch.of(tables, letters)
