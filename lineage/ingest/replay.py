"""An event log, batch after batch, ready for the store: read and decoded beside the applying."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from lineage.codec import Batch, log_files, read_log
from lineage.ingest.decoder_process import DecoderProcess
from lineage.ingest.encode import EncodedBatch, encode
from lineage.ingest.prefetch import prefetch

# From so many bytes of log on, a process of its own is worth the second that its start takes.
_BESIDE_BYTES = 32 << 20
Progress = Callable[[int], None]


def encoded_batches(
    paths: Sequence[str | Path], batch_events: int, progress: Progress | None
) -> Generator[EncodedBatch]:
    """The batches of the event logs at `paths`, at most about `batch_events` events each.

    progress: called with the bytes of the logs that were read since the last call.
    Raises schemas.LogError where a path is no event log, before anything is read.
    """
    files = log_files(paths)
    large = sum(file.bytes for file in files) >= _BESIDE_BYTES
    with closing(prefetch((_beside if large else _prepared)(paths, batch_events))) as items:
        for item in items:
            if isinstance(item, EncodedBatch):
                yield item
            elif progress is not None:
                progress(item)


def _beside(paths: Sequence[str | Path], batch_events: int) -> Iterator[EncodedBatch | int]:
    # Lines of JSON take longer to decode than to apply, so the rest is done on this side.
    lines = not all(file.path.suffix == ".avro" for file in log_files(paths))
    with closing(DecoderProcess()) as process:
        for item in process.items(_read if lines else _prepared, paths, batch_events):
            yield encode(item) if isinstance(item, Batch) else item


def _prepared(paths: Sequence[str | Path], batch_events: int) -> Iterator[EncodedBatch | int]:
    """Batches, and before each how many bytes were read for it."""
    for item in _read(paths, batch_events):
        yield encode(item) if isinstance(item, Batch) else item


def _read(paths: Sequence[str | Path], batch_events: int) -> Iterator[Batch | int]:
    read: list[int] = []
    for batch in read_log(paths, batch_events=batch_events, progress=read.append):
        yield sum(read)
        read.clear()
        yield batch
    yield sum(read)
