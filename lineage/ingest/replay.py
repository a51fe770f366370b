"""Reads an event log, batch after batch, ready for the store: prefetched while one is applied."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from lineage.codec import Batch, log_files, read_log
from lineage.codec.contract.limits import ReadLimits
from lineage.ingest.decoder_process import DecoderProcess
from lineage.ingest.encode import EncodedBatch, encode
from lineage.ingest.prefetch import prefetch
from lineage.limits import Limits

Progress = Callable[[int], None]


def encoded_batches(
    paths: Sequence[str | Path], batch_events: int, progress: Progress | None, limits: Limits
) -> Generator[EncodedBatch]:
    """Yield the batches of the event logs at `paths`, at most about `batch_events` events each.

    A large log is decoded in a second process. progress: called with the bytes of the logs that
    were read since the last call. Raises codec.LogError where a path is no event log, before
    anything is read.
    """
    files = log_files(paths)
    # From so many bytes on, a process is worth the second that its start takes.
    large = sum(file.bytes for file in files) >= limits.process_bytes
    read = _read_in_process if large else _encoded
    with closing(prefetch(read(paths, batch_events, limits.read))) as items:
        for item in items:
            if isinstance(item, EncodedBatch):
                yield item
            elif progress is not None:
                progress(item)


def _read_in_process(
    paths: Sequence[str | Path], batch_events: int, limits: ReadLimits
) -> Iterator[EncodedBatch | int]:
    # Lines of JSON take longer to decode than to apply, so the rest is done on this side.
    lines = not all(file.path.suffix == ".avro" for file in log_files(paths))
    with closing(DecoderProcess()) as process:
        for item in process.items(_read if lines else _encoded, paths, batch_events, limits):
            yield encode(item) if isinstance(item, Batch) else item


def _encoded(
    paths: Sequence[str | Path], batch_events: int, limits: ReadLimits
) -> Iterator[EncodedBatch | int]:
    """Yield batches, and before each how many bytes were read for it."""
    for item in _read(paths, batch_events, limits):
        yield encode(item) if isinstance(item, Batch) else item


def _read(
    paths: Sequence[str | Path], batch_events: int, limits: ReadLimits
) -> Iterator[Batch | int]:
    read: list[int] = []
    for batch in read_log(paths, batch_events, read.append, limits):
        yield sum(read)
        read.clear()
        yield batch
    yield sum(read)
