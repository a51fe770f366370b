"""Blocks of a container file to Batches, with a dead letter for all that can't be read.

Files say how many records a block has, and how large it is once it is unpacked; neither is to be
believed. So what is decoded in one go is bounded by bytes and by records, and what is beyond is
taken apart first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lineage.codec.avro.columns import TOGETHER_BYTES, UndecodableError
from lineage.codec.avro.container import Block, Container
from lineage.codec.avro.fast import Mask, read_blocks
from lineage.codec.avro.reader import TOGETHER_RECORDS
from lineage.codec.batch import Batch, DeadLetter
from lineage.codec.tables import (
    IntArray,
    Provenance,
    Tables,
    merge_tables,
    tables_of,
    with_provenance,
)


def of_blocks(container: Container, blocks: Sequence[Block]) -> tuple[Batch, list[Block]]:
    """Decode some blocks of a file to a batch of their records, in their order.

    Returns the batch; and the blocks that are too large for it, which `in_parts` reads. Dead
    letters are without their bytes: these are in the file.
    """
    letters = [letter for block in blocks if (letter := lost(container, block, kept=False))]
    whole = [block for block in blocks if block.damage is None]
    firsts = np.array([block.first for block in whole], np.int64)
    counts = np.array([block.count for block in whole], np.int64)
    positions = np.arange(counts.sum()) + np.repeat(firsts - np.cumsum(counts) + counts, counts)
    tables, plain = _by_fast_path(container, whole)
    left = [block for block, read in zip(whole, plain, strict=True) if not read]
    for some in _together([block for block in left if _is_small(block)]):
        others, found, more = _otherwise(container, some)
        tables = merge_tables(tables, others, np.searchsorted(positions, found))
        letters += more
    letters.sort(key=lambda letter: letter.position)
    where = Provenance(container.source, 0, positions)
    batch = Batch.of(with_provenance(container.event, tables, where), letters)
    return batch, [block for block in left if not _is_small(block)]


def in_parts(container: Container, block: Block) -> Iterator[Batch]:
    """Yield batches of a block that is too large to be decoded in one go."""
    source = container.source
    found = start = 0
    for datums, end in container.reader.parts(block.count, block.data):
        positions = range(block.first + found, block.first + found + len(datums))
        found, start = found + len(datums), end
        tables, good, letters = _of_datums(container, datums, positions)
        yield Batch.of(
            with_provenance(container.event, tables, Provenance(source, 0, good)), letters
        )
    rest = block.data[start:]
    if rest or found < block.count:
        yield Batch.of({}, [rest_of(source, block, found, rest, kept=False)])


def _is_small(block: Block) -> bool:
    return len(block.data) <= TOGETHER_BYTES and block.count <= TOGETHER_RECORDS


def _together(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Yield small blocks in as few lists as may be decoded in one go each."""
    some: list[Block] = []
    size = records = 0
    for block in blocks:
        size += len(block.data)
        records += block.count
        if some and (size > TOGETHER_BYTES or records > TOGETHER_RECORDS):
            yield some
            some, size, records = [], len(block.data), block.count
        some.append(block)
    if some:
        yield some


def _by_fast_path(container: Container, blocks: Sequence[Block]) -> tuple[Tables, Mask]:
    """Decode by the fast path the small blocks that are events throughout.

    Returns their tables, `row` numbering the records of all blocks; and which blocks those are.
    """
    small = np.array([_is_small(block) for block in blocks], np.bool_)
    if container.reader.present is None:
        return {}, np.zeros_like(small)
    return read_blocks(container.reader, [(block.count, block.data) for block in blocks], small)


def _otherwise(
    container: Container, blocks: Sequence[Block]
) -> tuple[Tables, IntArray, list[DeadLetter]]:
    """Decode by the fallback whole blocks that the fast path has left.

    Returns tables of the good events; the positions that `row` is an index into; and dead letters.
    """
    if container.reader.present is not None:
        # The fast path has tried each as a whole.
        return _one_by_one(container, blocks)
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
) -> tuple[Tables, IntArray, list[DeadLetter]]:
    datums: list[bytes] = []
    positions: list[int] = []
    letters: list[DeadLetter] = []
    for block in blocks:
        end = before = 0
        for found, upto in container.reader.parts(block.count, block.data):
            end = upto
            datums += found
            positions += range(block.first + before, block.first + before + len(found))
            before += len(found)
        rest = block.data[end:]
        if rest or before < block.count:
            letters.append(rest_of(container.source, block, before, rest, kept=False))
    tables, good, bad = _of_datums(container, datums, positions)
    return tables, good, letters + bad


def _of_datums(
    container: Container, datums: Sequence[bytes], positions: Sequence[int]
) -> tuple[Tables, IntArray, list[DeadLetter]]:
    """Decode datums of blocks, each with its position in the file.

    Returns tables of the good ones; the positions that `row` is an index into; and dead letters for
    the others.
    """
    event, source = container.event, container.source
    columns, wrong = container.reader.read(datums)
    reasons = {i: f"the record {what}" for i, what in wrong.items()}
    good = [i for i in range(len(datums)) if i not in reasons]
    tables: Tables = {}
    if good:
        tables, broken = tables_of(event, columns)
        reasons |= {good[row]: reason for row, reason in broken.items()}
    letters = [
        DeadLetter.of(source, 0, positions[i], reasons[i], datums[i], kept=False)
        for i in sorted(reasons)
    ]
    return tables, np.array(positions, np.int64)[good], letters


def lost(container: Container, block: Block, *, kept: bool = True) -> DeadLetter | None:
    """Return a dead letter for a block of which nothing can be read; None where it can be tried.

    kept: with its bytes, if they are not too many.
    """
    if block.damage is None:
        return None
    reason = block.damage
    if block.count:
        reason += f": at least {_records(block.count)} lost"
    value = block.data if kept and block.data else None
    return DeadLetter(container.source, 0, block.first, reason, block.sha256, value)


def rest_of(source: str, block: Block, found: int, rest: bytes, *, kept: bool = True) -> DeadLetter:
    """Return a dead letter for what is left of a block behind the records found in it."""
    lost = block.count - found
    reason = (
        f"the block is damaged from here on: {_records(lost)} lost"
        if lost
        else "the block has bytes left over behind its last record"
    )
    return DeadLetter.of(source, 0, block.first + found, reason, rest, kept=kept)


def _records(count: int) -> str:
    return "1 record is" if count == 1 else f"{count} records are"
