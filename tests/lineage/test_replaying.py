"""A replay gives the same whether the log is decoded in a thread or in a second process."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import lineage
from lineage import replaying
from lineage.beside import Beside
from lineage.errors import LogError
from schemas import log_files
from streams.simulate import simulate

BATCH_EVENTS = 500


@pytest.fixture(scope="module", params=["jsonl", "avro"])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log") / "own"
    simulate(2_000, seed=7, out=folder, format=request.param)
    broken = folder / f"broken.{request.param}"
    if request.param == "jsonl":
        broken.write_text("not an event\n")
    else:
        whole = (folder / "3-MessageSent.avro").read_bytes()
        broken.write_bytes(whole[: len(whole) // 2])
    return folder


def in_a_process(monkeypatch: pytest.MonkeyPatch) -> list[Beside]:
    """From now on; the processes that were started."""
    started: list[Beside] = []

    class Watched(Beside):
        def __init__(self) -> None:
            super().__init__()
            started.append(self)

    monkeypatch.setattr(replaying, "_BESIDE_BYTES", 0)
    monkeypatch.setattr(replaying, "Beside", Watched)
    return started


def test_thread_and_process_give_the_same(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = []
    started: list[Beside] = []
    for _ in range(2):
        progress: list[int] = []
        with lineage.open(":memory:") as store:
            replayed = store.replay(log, batch_events=BATCH_EVENTS, progress=progress.append)
            letters = store.sql("FROM dead_letter").fetchall()
            outcomes.append((replayed, store.digest(), letters, sum(progress)))
        assert len(progress) > 4
        if not started:
            started = in_a_process(monkeypatch)
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0].dead_letters == 1
    size = sum(file.bytes for file in log_files(log))
    assert outcomes[0][3] == size
    assert len(started) == 1


def test_what_is_no_log_is_told_before_a_process_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = in_a_process(monkeypatch)
    with lineage.open(":memory:") as store, pytest.raises(LogError, match=r"missing"):
        store.replay(tmp_path / "missing.jsonl")
    assert started == []


def test_the_process_ends_with_a_replay_that_is_given_up(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = in_a_process(monkeypatch)
    batches = replaying.prepared_batches([log], BATCH_EVENTS, None)
    next(batches)
    batches.close()
    assert [process.ended for process in started] == [True]
    assert all(thread.name != "ahead" for thread in threading.enumerate())


def test_the_digest_is_the_same_in_however_many_parts(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lineage.open(":memory:") as store:
        store.replay(log)
        whole = store.digest()
        monkeypatch.setattr("lineage.digest._ROWS_MAX", 700)
        assert store.digest() == whole
