"""Event logs in lines: .jsonl and .jsonl.gz, whole and damaged."""

import gzip
import hashlib
from pathlib import Path
from typing import Literal

import orjson
import pytest

from lineage import codec
from lineage.codec import Batch, DeadLetter, LogError, LogFile, log_files, read_events, read_log
from lineage.codec.contract.limits import ReadLimits
from streams.simulate import simulate
from tests.lineage.codec.examples import GOOD, HOP, MESSAGE, Event, content, reasons
from tests.samples import sampled


def messages(count: int) -> list[Event]:
    return [{**MESSAGE, "message_id": f"m{i}"} for i in range(count)]


def jsonl(events: list[Event]) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


def read(path: Path, batch_events: int = 50_000) -> Batch:
    return Batch.concat(read_log(path, batch_events))


@pytest.mark.parametrize("ending", [b"\n", b"", b"\r\n", b"\n\n\n"])
def test_the_last_line_may_end_in_any_way(tmp_path: Path, ending: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(list(GOOD)).rstrip() + ending)
    batch = read(tmp_path / "a.jsonl")
    assert (batch.events, batch.dead_letters) == (len(GOOD), ())


def test_a_packed_log_reads_as_the_plain_one(tmp_path: Path) -> None:
    plain = jsonl(messages(100)) + b"{\n" + jsonl(list(GOOD))
    (tmp_path / "a.jsonl").write_bytes(plain)
    half = len(plain) // 2
    # Several gzip members one after another are one file, and zeros may follow.
    packed = gzip.compress(plain[:half]) + gzip.compress(plain[half:]) + b"\0" * 10
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    a, b = read(tmp_path / "a.jsonl"), read(tmp_path / "a.jsonl.gz")
    assert content(a) == content(b)
    assert reasons(a) == reasons(b)
    assert list(reasons(a)) == [101]


def test_batches_are_of_the_size_asked_for_and_know_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\n" + jsonl(messages(25)))
    batches = list(read_log(tmp_path / "a.jsonl", batch_events=10))
    assert all(batch.events <= 10 for batch in batches)
    positions = [p for batch in batches for p in batch.messages["position"]]
    assert positions == list(range(2, 27))
    assert batches[0].messages["read_from"].unique().to_list() == [str(tmp_path / "a.jsonl")]


@pytest.mark.slow
@pytest.mark.parametrize("ending", sampled(["jsonl", "avro"], 2))
def test_the_first_batches_are_smaller(tmp_path: Path, ending: Literal["jsonl", "avro"]) -> None:
    simulate(1000, seed=3, out=tmp_path, format=ending)
    sizes = [batch.events for batch in read_log(tmp_path, batch_events=400)]
    assert 0 < sizes[0] <= 50
    assert sizes[1] <= 100 < max(sizes) <= 400


@pytest.mark.slow
@pytest.mark.parametrize("ending", sampled(["jsonl", "avro"], 2))
def test_large_hops_make_a_batch_of_fewer_events(
    tmp_path: Path, ending: Literal["jsonl", "avro"]
) -> None:
    simulate(1000, seed=3, out=tmp_path, format=ending)
    (whole,) = list(read_log(tmp_path, batch_events=1_000_000))[-1:]
    batches = read_log(tmp_path, batch_events=1_000, limits=ReadLimits(batch=64 << 10))
    sizes = [batch.bytes for batch in batches]
    assert max(sizes) <= 64 << 10 < whole.bytes


def test_small_files_share_a_batch(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_bytes(jsonl(list(GOOD)))
    (batch,) = read_log(tmp_path)
    assert batch.events == 3 * len(GOOD)
    assert batch.hops["row"].to_list() == [0, 1, 2]
    assert [Path(p).name for p in batch.hops["read_from"]] == ["a.jsonl", "b.jsonl", "c.jsonl"]


@pytest.mark.slow
def test_progress_is_told_in_bytes_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(messages(3000)))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(jsonl(messages(3000))))
    codec.write_container(tmp_path / "c.avro", codec.MESSAGE_SENT, messages(3000))
    told: list[int] = []
    for _ in read_log(tmp_path, 1000, told.append):
        pass
    assert sum(told) <= sum(file.bytes for file in log_files(tmp_path))
    assert sum(told) >= sum(file.bytes for file in log_files(tmp_path)) - 10_000


def test_folders_hold_logs_at_any_depth_but_not_what_is_expected_of_them(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    for name in ("b.jsonl", "day/a.jsonl", "expected-flags.jsonl", "notes.txt"):
        (tmp_path / name).write_bytes(jsonl([HOP]))
    found = log_files(tmp_path)
    assert [file.path.name for file in found] == ["b.jsonl", "a.jsonl"]
    assert [file.bytes for file in found] == [len(jsonl([HOP]))] * 2
    assert read(tmp_path).events == 2
    named = LogFile(tmp_path / "b.jsonl", found[0].bytes)
    assert log_files([tmp_path / "b.jsonl", str(tmp_path)]) == [named, *found]
    assert all(file.found for file in found)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.jsonl", "can't be read: No such file"),
        ("notes.txt", "is not an event log by its name; it must end in .jsonl or .ndjson (also"),
        ("empty", "holds no event log"),
        ("plain.jsonl.gz", "is not a gzip file"),
        ("plain.avro", "is not an Avro container file"),
    ],
)
def test_what_is_no_event_log_is_said_in_one_sentence(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "empty").mkdir()
    for file in ("notes.txt", "plain.jsonl.gz", "plain.avro"):
        (tmp_path / file).write_bytes(jsonl([HOP]))
    for reading in (read_log, read_events):
        with pytest.raises(LogError) as error:
            reading(tmp_path / name)  # already when it is called, before anything is read
        assert str(tmp_path / name) in str(error.value)
        assert reason in str(error.value)
        assert "\n" not in str(error.value)


def test_an_empty_log_is_no_events(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b""))
    assert read(tmp_path).events == 0


@pytest.mark.slow
@pytest.mark.parametrize("damage", sampled(["cut", "flipped"], 2))
def test_of_a_damaged_packed_log_all_that_came_before_is_kept(tmp_path: Path, damage: str) -> None:
    # Ids without a pattern, so that the packed file is long.
    events = [{**m, "message_id": hashlib.sha256(m["message_id"].encode()).hexdigest()}
              for m in messages(20_000)]  # fmt: skip
    packed = bytearray(gzip.compress(jsonl(events)))
    at = len(packed) // 2
    if damage == "cut":
        del packed[at:]
    else:
        packed[at : at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    batch = read(tmp_path / "a.jsonl.gz", 3000)
    assert batch.events > 5000
    kept = batch.messages["message_id"].to_list()
    sent = [e["message_id"] for e in events]
    assert kept[:5000] == sent[:5000]  # of the last ones zlib can't tell that they are damaged
    if damage == "cut":
        assert kept == sent[: len(kept)]
    last = batch.dead_letters[-1]
    assert last.reason == (
        "the packed data ends early or is damaged here; lines from here on are lost"
    )
    assert last.position > batch.messages["position"].max()  # type: ignore[operator]  # a number


def test_a_line_without_an_end_does_not_fill_the_memory(
    tmp_path: Path,
) -> None:
    long = b"x" * (9 << 20)
    (tmp_path / "a.jsonl").write_bytes(jsonl([HOP]) + long + b"\n" + jsonl([MESSAGE]) + long)
    batch = Batch.concat(read_log(tmp_path / "a.jsonl", limits=ReadLimits(line=3 << 20)))
    assert batch.events == 2
    assert batch.messages["position"].to_list() == [3]
    reason = "the line has more than 3 MiB; split a large hop into several"
    assert [(d.position, d.reason, d.sha256, d.value) for d in batch.dead_letters] == [
        (at, reason, hashlib.sha256(long).hexdigest(), None) for at in (2, 4)
    ]


def test_a_long_line_that_is_an_event_is_one(tmp_path: Path) -> None:
    hop = {**HOP, "inputs": [f"{i:040d}" for i in range(100_000)]}
    (tmp_path / "a.jsonl").write_bytes(jsonl([hop, HOP]))
    assert read(tmp_path / "a.jsonl").hop_inputs.height == 100_002


def test_events_come_one_by_one_too(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(list(GOOD)) + b"\n{\n")
    codec.write_container(tmp_path / "b.avro", codec.RECORDS_MOVED, [HOP])
    found = list(read_events(tmp_path))
    letters = [item for item in found if isinstance(item, DeadLetter)]
    events = [item for item in found if not isinstance(item, DeadLetter)]
    assert [(d.source, d.position) for d in letters] == [(str(tmp_path / "a.jsonl"), len(GOOD) + 2)]
    assert [kind.name for kind, _ in events] == [*(e["event"] for e in GOOD), "RecordsMoved"]
    assert [event for _, event in events[:-1]] == list(GOOD)
    assert events[-1][1] == {**HOP, "moved_at": "2024-09-18T00:00:01.500000Z"}


def test_one_bad_file_in_a_folder_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([HOP]))
    (tmp_path / "b.avro").write_bytes(b"no container")
    (tmp_path / "c.jsonl.gz").write_bytes(b"not packed")
    codec.write_container(tmp_path / "d.avro", codec.FLAG_RAISED, [])
    batch = read(tmp_path)
    assert batch.events == 1
    assert [(Path(d.source).name, d.position) for d in batch.dead_letters] == [
        ("b.avro", 0), ("c.jsonl.gz", 0), ("d.avro", 0)
    ]  # fmt: skip
    first = batch.dead_letters[0]
    assert first.reason.startswith("nothing of the file is read: ")
    assert first.sha256 == hashlib.sha256(b"no container").hexdigest()
    letters = [item for item in read_events(tmp_path) if isinstance(item, DeadLetter)]
    assert letters == list(batch.dead_letters)
    with pytest.raises(LogError, match="is not an Avro container"):  # it was named
        read_log([tmp_path / "a.jsonl", tmp_path / "b.avro"])
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(LogError, match="is not an Avro container"):  # nothing is left to read
        read_log(tmp_path)


@pytest.mark.parametrize("name", ["a.avro", "a.jsonl", "a.jsonl.gz"])
def test_a_file_without_bytes_is_no_events(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / name).write_bytes(b"")
    for path in (tmp_path, tmp_path / name):
        assert list(read_log(path)) == []
        assert list(read_events(path)) == []
    assert caplog.messages == [f"{tmp_path / name} has no bytes; it is read as no events"] * 4


def test_files_that_are_passed_over_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([HOP]))
    for name in ("expected-flags.jsonl", ".hidden.json", "_SUCCESS"):
        (tmp_path / name).write_bytes(b"x")
    assert read(tmp_path).events == 1
    assert caplog.messages == []
    others = ["b.json", "c.jsonl.bak", "d.jsonl.bz2", "e.jsonl~", "f.csv", "g.parquet"]
    for name in others:
        (tmp_path / name).write_bytes(jsonl([HOP]))
    assert read(tmp_path).events == 1
    told = ", ".join(str(tmp_path / name) for name in others[:5])
    (message,) = caplog.messages
    assert message.startswith("passed over, since they do not end in .jsonl or .ndjson")
    assert message.endswith(f": {told} and 1 more")
