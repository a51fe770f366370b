"""Questions share the writer's memory: they are ended where it lacks, and no event is lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import lineage
from lineage import BatchResult, StoreBusyError, StoreError
from lineage.codec import Encoder, LocalIds, from_events
from lineage.ingest.encode import encode
from lineage.ingest.replay import encoded_batches
from lineage.limits import DEFAULT_LIMITS
from lineage.store.alert_outbox import AlertOutbox
from lineage.store.session import Session
from streams.simulate import simulate
from streams.worker.pipeline.sink import StoreSink
from tests.lineage.events.builders import message
from tests.stores import new_database

MEMORY_MIB = 200  # the least that a writer may have
HUNGRY = (
    "SELECT count(*) FROM (FROM range(3_000_000) t(i) SELECT DISTINCT i, hash(i))",
    "SELECT max(len(l)) FROM (SELECT list(i) AS l FROM range(20_000_000) t(i) GROUP BY i % 7)",
    "SELECT count(*) FROM (SELECT * FROM range(4_000_000) t(i) ORDER BY hash(i))",
)


@contextmanager
def hungry_readers(sink: StoreSink, count: int) -> Iterator[set[str]]:
    """Ask for more than there is, again and again; yields what they were told."""
    stop = threading.Event()
    told: set[str] = set()

    def ask(query: str) -> None:
        while not stop.is_set():
            try:
                session = sink.readers.begin()
            except StoreBusyError:
                stop.wait(0.01)
                continue
            try:
                session.sql(query).fetchall()
                told.add("answered")
            except lineage.LineageError:
                told.add("ended" if session.reason else "refused")
            finally:
                sink.readers.finish(session)

    threads = [threading.Thread(target=ask, args=(HUNGRY[n % 3],)) for n in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


@pytest.fixture
def sink() -> Iterator[StoreSink]:
    with new_database() as db:
        sink = StoreSink(str(db), Encoder(LocalIds()), MEMORY_MIB)
        yield sink
        sink.close()


@pytest.mark.slow
def test_hungry_readers_end_no_worker_and_lose_no_event(
    sink: StoreSink, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    simulate(15_000, 2, tmp_path / "log")
    with hungry_readers(sink, 5) as told, caplog.at_level(logging.WARNING):
        for batch in encoded_batches([tmp_path / "log"], 6_000, None, DEFAULT_LIMITS):
            sink.apply(batch, {}, {})
            number, flags = sink.flags()
            if flags:
                sink.published(number)
    assert told >= {"refused"}
    with lineage.open(":memory:") as other:
        other.replay(tmp_path / "log")
        expected = other.digest()
    assert sink.readers.reader.digest() == expected


class Failing:
    """A store's `apply_batch` that runs out of memory so many times."""

    def __init__(self, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = times
        self.calls = 0
        applied = lineage.Store.apply_batch

        def apply(store: lineage.Store, *arguments: object, **named: object) -> BatchResult:
            self.calls += 1
            if self.calls <= self.times:
                cause = duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block")
                raise StoreError("the batch was not recorded") from cause
            return applied(store, *arguments, **named)  # type: ignore[arg-type] # as they came

        monkeypatch.setattr(lineage.Store, "apply_batch", apply)


def _record(sink: StoreSink) -> None:
    sink.apply(encode(from_events([message("m1")])), {}, {})


def test_with_readers_at_work_a_batch_is_tried_again_alone(
    sink: StoreSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(1, monkeypatch)
    session = sink.readers.begin()
    ended = threading.Thread(target=_finish_when_ended, args=(sink, session))
    ended.start()
    _record(sink)
    ended.join(10)
    assert failing.calls == 2
    assert isinstance(session.reason, StoreBusyError)
    reader = sink.readers.begin()
    assert reader.sql("SELECT message_id FROM message").fetchall() == [("m1",)]
    sink.readers.finish(reader)


def test_so_is_what_receivers_of_alerts_are_told(sink: StoreSink) -> None:
    tries = []

    def work(outbox: AlertOutbox) -> int:
        tries.append(outbox)
        if len(tries) == 1:
            cause = duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block")
            raise StoreError("it was not read") from cause
        return outbox.latest()

    session = sink.readers.begin()
    ended = threading.Thread(target=_finish_when_ended, args=(sink, session))
    ended.start()
    assert sink.with_alerts(work) == 0
    ended.join(10)
    assert len(tries) == 2
    assert isinstance(session.reason, StoreBusyError)


def _finish_when_ended(sink: StoreSink, session: Session) -> None:
    while session.reason is None:
        threading.Event().wait(0.01)
    sink.readers.finish(session)


def test_without_readers_it_is_tried_again_too(
    sink: StoreSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database may have gathered what leaves too little: opened anew, it has all of it."""
    before = sink.readers.reader
    failing = Failing(1, monkeypatch)
    with caplog.at_level(logging.WARNING):
        _record(sink)
    assert (failing.calls, sink.retried) == (2, 1)
    assert "failed to pin block" in caplog.text
    assert sink.readers.reader is not before
    assert sink.readers.reader.sql("SELECT message_id FROM message").fetchall() == [("m1",)]


def test_a_batch_that_is_too_large_even_then_is_an_error(
    sink: StoreSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(2, monkeypatch)
    with pytest.raises(StoreError, match="not recorded"):
        _record(sink)
    assert failing.calls == 2
