"""Blocks of a container file to a Batch, with a dead letter for all that can't be read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.avro_container import Block, Container
from schemas.avro_lanes import read_plain
from schemas.avro_layout import UndecodableError
from schemas.batch import Batch, DeadLetter
from schemas.tables import Numbers, Tables, Where, joined, placed, tables_of

# Of fewer blocks than these, counted as if all were as long as the longest, reading side by side
# is slower.
_SIDE_BY_SIDE_MIN = 60


def of_blocks(container: Container, blocks: Sequence[Block]) -> Batch:
    """A batch of the records in some blocks of a file, in their order."""
    letters = [letter for block in blocks if (letter := lost(container, block))]
    whole = [block for block in blocks if block.damage is None]
    firsts = np.array([block.first for block in whole], np.int64)
    # A damaged block can claim any number; there is no record without a byte.
    counts = np.array([min(block.count, len(block.data)) for block in whole], np.int64)
    positions = np.arange(counts.sum()) + np.repeat(firsts - np.cumsum(counts) + counts, counts)
    tables, plain = _plainly(container, [block.data for block in whole], counts)
    left = [
        block
        for block, read, count in zip(whole, plain, counts, strict=True)
        if not read or count < block.count
    ]
    if left:
        others, found, more = _otherwise(container, left)
        tables = joined(tables, others, np.searchsorted(positions, found))
        letters = sorted(letters + more, key=lambda letter: letter.position)
    where = Where(str(container.path), 0, positions)
    return Batch.of(placed(container.event, tables, where), letters)


def _plainly(
    container: Container, blocks: Sequence[bytes], counts: Numbers
) -> tuple[Tables, npt.NDArray[np.bool_]]:
    """What can be read plainly of blocks, `row` numbering all their records; and which those are.

    Blocks are read side by side: where they are few, or one is much longer than the others, that
    is slower than reading them one after another.
    """
    fields = container.reader.present
    if fields is None or counts.sum() < _SIDE_BY_SIDE_MIN * counts.max(initial=0):
        return {}, np.zeros(len(blocks), np.bool_)
    sizes = np.fromiter(map(len, blocks), np.int64, len(blocks))
    ends = np.cumsum(sizes)
    return read_plain(container.event, fields, blocks, ends - sizes, ends, counts)


def _otherwise(
    container: Container, blocks: Sequence[Block]
) -> tuple[Tables, Numbers, list[DeadLetter]]:
    """Tables of the good events in whole blocks; positions that `row` numbers; and dead letters."""
    try:
        columns = container.reader.read_blocks([(block.count, block.data) for block in blocks])
        tables, broken = tables_of(container.event, columns)
    except UndecodableError:
        return _one_by_one(container, blocks)
    if broken:
        # Rare, and only datum by datum are its bytes known, which a dead letter is known by.
        return _one_by_one(container, blocks)
    ranges = [np.arange(block.first, block.first + block.count) for block in blocks]
    return tables, np.concatenate(ranges), []


def _one_by_one(
    container: Container, blocks: Sequence[Block]
) -> tuple[Tables, Numbers, list[DeadLetter]]:
    event, source = container.event, str(container.path)
    datums: list[bytes] = []
    positions: list[int] = []
    letters: list[DeadLetter] = []
    for block in blocks:
        found, rest = container.reader.split(block.count, block.data)
        datums += found
        positions += range(block.first, block.first + len(found))
        if rest or len(found) < block.count:
            letters.append(rest_of(source, block, len(found), rest))
    columns, bad = container.reader.read(datums)
    wrong = f"the record is not a whole {event.name} as the file's schema has it"
    reasons = dict.fromkeys(bad, wrong)
    good = [i for i in range(len(datums)) if i not in reasons]
    tables: Tables = {}
    if good:
        tables, broken = tables_of(event, columns)
        reasons |= {good[row]: reason for row, reason in broken.items()}
    letters += (DeadLetter.of(source, 0, positions[i], reasons[i], datums[i]) for i in reasons)
    return tables, np.array(positions, np.int64)[good], letters


def lost(container: Container, block: Block) -> DeadLetter | None:
    """A dead letter for a block of which nothing can be read; None where it can be tried."""
    if block.damage is None:
        return None
    reason = f"{block.damage}: at least {_records(block.count)} lost"
    return DeadLetter.of(str(container.path), 0, block.first, reason, block.data)


def rest_of(source: str, block: Block, found: int, rest: bytes) -> DeadLetter:
    """A dead letter for what is left of a block behind the records that were found in it."""
    lost = block.count - found
    reason = (
        f"the block is damaged from here on: {_records(lost)} lost"
        if lost
        else "the block has bytes left over behind its last record"
    )
    return DeadLetter.of(source, 0, block.first + found, reason, rest)


def _records(count: int) -> str:
    return "1 record is" if count == 1 else f"{count} records are"
