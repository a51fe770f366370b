"""Reads event logs on disk: files of lines of JSON, and object container files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from lineage.codec.avro.blocks import lost, rest_of
from lineage.codec.avro.container import Container
from lineage.codec.batch import Batch, DeadLetter
from lineage.codec.contract.events import EventType
from lineage.codec.contract.limits import BATCH_WEIGHT_MAX, READ_LIMITS, ReadLimits
from lineage.codec.errors import LogError
from lineage.codec.json.events import event_of_line, from_numbered_lines
from lineage.codec.json.lines import Progress, blocks_of_lines
from lineage.codec.log.kinds import check_lines, is_container_name
from lineage.codec.log.listing import LogFile, Paths, log_files, warn_of_others
from lineage.codec.log.merge import merge_containers
from lineage.codec.log.portions import portions, weight_of
from lineage.codec.source_names import source_name

_HASHED_BYTES = 1 << 20
# So many parts of lines make a batch.
_PARTS_A_BATCH = 8

_LOG = logging.getLogger(__name__)


def read_log(
    paths: Paths,
    batch_events: int = 50_000,
    progress: Progress | None = None,
    limits: ReadLimits = READ_LIMITS,
) -> Iterator[Batch]:
    """Yield batches of at most about batch_events events, and `limits.batch` bytes.

    Batches have fewer events at first, and where hops are huge.

    The .avro files, of one event type each, are merged in the order of the instants of their
    events, as far as each file is in that order itself; then come the files of lines, in the order
    of their paths. progress: called with the bytes of the files that were read since the last call.
    Raises LogError, before anything is read, where a file that is named is no event log; one in a
    folder is a dead letter with position 0, if not all are.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    sources, letters = _sources(log_files(paths), limits)
    warn_of_others(paths)
    return _batches(sources, letters, batch_events, limits, progress or _ignore)


def read_events(
    paths: Paths, progress: Progress | None = None
) -> Iterator[tuple[EventType, Mapping[str, object]] | DeadLetter]:
    """Yield each event with its type, in the JSON spelling, and dead letters for invalid ones.

    Decoding event by event is slower than `read_log`. Raises LogError as `read_log` does.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    sources, letters = _sources(log_files(paths))
    warn_of_others(paths)
    return chain(letters, _events(sources, progress or _ignore))


def _ignore(_: int) -> None:
    pass


def _sources(
    files: Sequence[LogFile], limits: ReadLimits = READ_LIMITS
) -> tuple[list[Container | Path], list[DeadLetter]]:
    """Return the readable source of each file, and dead letters for unreadable files in folders."""
    sources: list[Container | Path] = []
    letters: list[DeadLetter] = []
    first: LogError | None = None
    for file in files:
        if not file.bytes and not file.problem:
            # Jobs that wrote nothing leave such files behind.
            _LOG.warning("%s has no bytes; it is read as no events", source_name(file.path))
            continue
        try:
            sources.append(_source(file, limits))
        except LogError as error:
            if not file.found:
                raise
            first = first or error
            letters.append(_unreadable(file, error))
    if first and not sources:
        raise first
    return sources, letters


def _unreadable(file: LogFile, error: LogError) -> DeadLetter:
    digest = hashlib.sha256()
    try:
        if not file.problem:
            with file.path.open("rb") as opened:
                while piece := opened.read(_HASHED_BYTES):
                    digest.update(piece)
    except OSError:
        pass  # the reason says so
    reason = f"nothing of the file is read: {error}"
    return DeadLetter(source_name(file.path), 0, 0, reason, digest.hexdigest())


def _source(file: LogFile, limits: ReadLimits) -> Container | Path:
    path = file.path
    if file.problem:
        raise LogError(f"{source_name(path)} {file.problem}")
    if is_container_name(path.name):
        return Container(path, limits)
    check_lines(path)
    return path


def _batches(
    sources: Sequence[Container | Path],
    letters: Sequence[DeadLetter],
    batch_events: int,
    limits: ReadLimits,
    progress: Progress,
) -> Iterator[Batch]:
    containers = [source for source in sources if isinstance(source, Container)]
    some = max(batch_events // _PARTS_A_BATCH, 1)
    parts = chain(
        [Batch.of({}, letters)] if letters else [],
        merge_containers(containers, batch_events, progress),
        *(_of_lines(path, some, limits, progress) for path in sources if isinstance(path, Path)),
    )
    waiting: list[Batch] = []
    size = taken = weight = 0
    most = some
    for part in chain.from_iterable(map(portions, parts)):
        found = part.events + len(part.dead_letters)
        held, weighs = part.bytes, weight_of(part)
        if waiting and (
            size + found > most or taken + held > limits.batch or weight + weighs > BATCH_WEIGHT_MAX
        ):
            yield Batch.concat(waiting)
            waiting, size, taken, weight = [], 0, 0, 0
            # Small batches at first let the consumer begin early, and then overlap with decoding.
            most = min(2 * most, batch_events)
        waiting.append(part)
        size, taken, weight = size + found, taken + held, weight + weighs
    if waiting:
        yield Batch.concat(waiting)


def _of_lines(path: Path, some: int, limits: ReadLimits, progress: Progress) -> Iterator[Batch]:
    lines: list[bytes] = []
    numbers = np.empty(0, np.int64)
    letters: list[DeadLetter] = []
    size = 0
    for block in blocks_of_lines(path, progress, limits, kept=False):
        if isinstance(block, DeadLetter):
            letters.append(block)
        else:
            position, found = block
            lines += found
            numbers = np.append(numbers, np.arange(position, position + len(found)))
            size += sum(map(len, found))
        while len(lines) + len(letters) >= some or size > limits.batch:
            now, lines = lines[:some], lines[some:]
            of_these, numbers = numbers[:some], numbers[some:]
            yield _with(letters, from_numbered_lines(now, source_name(path), of_these, kept=False))
            letters = []
            size = sum(map(len, lines))
    if lines or letters:
        yield _with(letters, from_numbered_lines(lines, source_name(path), numbers, kept=False))


def _with(letters: Sequence[DeadLetter], batch: Batch) -> Batch:
    """Return the batch with further dead letters of the same file."""
    if not letters:
        return batch
    together = sorted((*batch.dead_letters, *letters), key=lambda letter: letter.position)
    return replace(batch, dead_letters=tuple(together))


def _events(
    sources: Sequence[Container | Path], progress: Progress
) -> Iterator[tuple[EventType, Mapping[str, object]] | DeadLetter]:
    for source in sources:
        if isinstance(source, Container):
            yield from _events_of_container(source, progress)
            continue
        for block in blocks_of_lines(source, progress, kept=True):
            if isinstance(block, DeadLetter):
                yield block
                continue
            for position, line in enumerate(block[1], start=block[0]):
                if line.strip():
                    found = event_of_line(line)
                    yield (
                        DeadLetter.of(source_name(source), 0, position, found, line)
                        if isinstance(found, str)
                        else found
                    )


def _events_of_container(
    container: Container, progress: Progress
) -> Iterator[tuple[EventType, Mapping[str, object]] | DeadLetter]:
    read, source = 0, container.source
    for block in container.blocks():
        progress(block.end - read)
        read = block.end
        if letter := lost(container, block):
            yield letter
            continue
        position, end = block.first, 0
        for datums, upto in container.reader.parts(block.count, block.data):
            end = upto
            for datum in datums:
                found = container.reader.event_of(datum)
                yield (
                    DeadLetter.of(source, 0, position, found, datum)
                    if isinstance(found, str)
                    else (container.event, found)
                )
                position += 1
        rest = block.data[end:]
        if rest or position < block.first + block.count:
            yield rest_of(source, block, position - block.first, rest)
