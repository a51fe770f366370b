"""A replay gives the same whether the log is decoded in a thread or in a second process."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest

import lineage
from lineage.codec import log_files
from lineage.errors import LogError
from lineage.ingest import replay
from lineage.ingest.decoder_process import DecoderProcess
from lineage.limits import DEFAULT_LIMITS, Limits
from streams.simulate import simulate
from tests.stores import new_store

BATCH_EVENTS = 500
ALWAYS = Limits(process_bytes=0)  # in a second process, however small the log
Event = dict[str, Any]


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


def in_a_process(monkeypatch: pytest.MonkeyPatch) -> list[DecoderProcess]:
    """Return the processes that are started from now on."""
    started: list[DecoderProcess] = []

    class Watched(DecoderProcess):
        def __init__(self) -> None:
            super().__init__()
            started.append(self)

    monkeypatch.setattr(replay, "DecoderProcess", Watched)
    return started


@pytest.mark.slow
def test_thread_and_process_give_the_same(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = []
    started = in_a_process(monkeypatch)
    for limits in (DEFAULT_LIMITS, ALWAYS):
        progress: list[int] = []
        with new_store(limits=limits) as store:
            replayed = store.replay(log, batch_events=BATCH_EVENTS, progress=progress.append)
            letters = store.sql("FROM dead_letter").fetchall()
            outcomes.append((replayed, store.digest(), letters, sum(progress)))
        assert len(progress) > 4
        assert len(started) == (limits is ALWAYS)
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0].dead_letters == 1
    size = sum(file.bytes for file in log_files(log))
    assert outcomes[0][3] == size


def test_what_is_no_log_is_told_before_a_process_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = in_a_process(monkeypatch)
    with new_store(limits=ALWAYS) as store, pytest.raises(LogError, match=r"missing"):
        store.replay(tmp_path / "missing.jsonl")
    assert started == []


@pytest.mark.slow
def test_the_process_ends_with_a_replay_that_is_given_up(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = in_a_process(monkeypatch)
    before = set(threading.enumerate())
    batches = replay.encoded_batches([log], BATCH_EVENTS, None, ALWAYS)
    next(batches)
    assert set(threading.enumerate()) > before
    batches.close()
    assert [process.ended for process in started] == [True]
    assert set(threading.enumerate()) <= before


@pytest.mark.slow
def test_the_digest_is_the_same_in_however_many_parts(log: Path) -> None:
    digests = set()
    for limits in (DEFAULT_LIMITS, Limits(digest_rows=700)):
        with new_store(limits=limits) as store:
            store.replay(log)
            digests.add(store.digest())
    assert len(digests) == 1


def message(message_id: str) -> Event:
    party: Event = {"tier": "RECRUITER", "region": "US"}
    party |= {"ai_training_consent": True, "third_party_consent": True}
    return {
        "event": "MessageSent",
        "message_id": message_id,
        "channel": "INMAIL",
        "parties": [
            {"role": "SENDER", "member_id": "a", **party},
            {"role": "RECIPIENT", "member_id": "b", **party},
        ],
        "dataset": "inbox",
        "sent_at": "2024-01-01T00:00:00Z",
    }


def hop(number: int, inputs: list[str], outputs: list[str], target: str = "shards") -> Event:
    return {
        "event": "RecordsMoved",
        "hop_id": f"h{number}",
        "run_id": "r",
        "job": "j",
        "operation": "EXPORT",
        "source": "inbox",
        "target": target,
        "inputs": inputs,
        "outputs": outputs,
        "moved_at": "2024-01-02T00:00:00Z",
    }


def peak_of_replaying(path: Path) -> tuple[int, int]:
    """How many arrivals there are, and how many MiB both processes took together at most."""
    program = (
        "import sys, lineage\n"
        "from pathlib import Path\n"
        "with lineage.open(sys.argv[1] + '.duckdb') as store:\n"
        "    print(store.replay(sys.argv[1]).arrivals)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(lineage.__file__).parent.parent,
    )
    arrivals, kib = found.stdout.split()
    return int(arrivals), int(kib) >> 10


@pytest.mark.slow
@pytest.mark.parametrize("hops", [1, 8])
def test_hops_at_the_bound_take_bounded_memory(tmp_path: Path, hops: int) -> None:
    ids = [f"00000000-0000-7000-8000-{i:012d}" for i in range(1000)]
    events = [message(one) for one in ids]
    events += [hop(i, ids, [f"{i}-{one}" for one in ids]) for i in range(hops)]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, events)))
    arrivals, peak = peak_of_replaying(path)
    assert arrivals == 1000 + 1_000_000 * hops
    assert peak < 1280  # the database may take 1024
