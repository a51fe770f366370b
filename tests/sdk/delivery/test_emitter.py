"""What is reported arrives, and the job never notices the way."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import lineage_sdk
from lineage_sdk import EventError, SettingsError, hop
from lineage_sdk.delivery.settings import from_environment
from lineage_sdk.delivery.spool import Spool
from lineage_sdk.errors import TransportError
from tests.sdk.jobs import Reported, environment, events_in, finished, reporting, start
from tests.stores import new_store

pytestmark = pytest.mark.slow  # processes that begin, end and are killed

AWAY = "http://127.0.0.1:1/"  # nobody listens there

JOB = """
import os, sys, time
import lineage_sdk
first, count = int(sys.argv[1]), int(sys.argv[2])
for n in range(first, first + count):
    with lineage_sdk.hop("a", "b") as h:
        h.keep(str(n))
print("reported", flush=True)
if "wait" in sys.argv:
    time.sleep(60)
if "flush" in sys.argv:
    print(lineage_sdk.flush(20))
"""


def job(tmp_path: Path, emit: str) -> dict[str, str]:
    return {"LINEAGE_JOB": "j", "LINEAGE_EMIT": emit, "LINEAGE_SPOOL": str(tmp_path / "spool")}


def numbers(log: Path) -> list[int]:
    return [int(event["inputs"][0]) for event in events_in(log)]


def spooled(folder: Path) -> list[Path]:
    return list((folder / "spool").glob("*/*/*.jsonl"))


def test_a_log_that_replay_takes(tmp_path: Path) -> None:
    with reporting(tmp_path) as reported:
        with hop("inbox", "warehouse") as h:
            h.keep("m1")
        lineage_sdk.emit(lineage_sdk.dataset_declared("warehouse", "TABLE"))
        assert lineage_sdk.flush(20)
        assert lineage_sdk.counters() == lineage_sdk.Counters(2, 2, 0, 0, 0)
    with new_store() as store:
        store.replay(reported.log)
        assert store.sql("SELECT source, target, job FROM hop").fetchall() == [
            ("inbox", "warehouse", "a-job")
        ]
        assert store.sql("FROM dead_letter").fetchall() == []


def test_a_process_that_ends_has_sent_all(tmp_path: Path) -> None:
    log = tmp_path / "log"
    finished(JOB, "0", "50", **job(tmp_path, f"file://{log}"))
    assert numbers(log) == list(range(50))
    # And it leaves nothing in the spool.
    assert [path for path in (tmp_path / "spool").rglob("*") if path.is_file()] == []


def test_what_could_not_be_sent_is_sent_by_the_next_process(tmp_path: Path) -> None:
    log = tmp_path / "blocked" / "log"
    log.parent.write_text("a file where a folder should be")
    settings = job(tmp_path, f"file://{log}")
    _, said = finished(JOB, "0", "50", LINEAGE_FLUSH_SECONDS="0.2", **settings)
    assert "50 events wait in" in said
    assert "Traceback" not in said
    assert spooled(tmp_path)
    log.parent.unlink()
    finished(JOB, "50", "1", "flush", **settings)
    assert numbers(log) == list(range(51))
    assert spooled(tmp_path) == []


def test_what_a_killed_process_had_reported_is_sent_by_the_next(tmp_path: Path) -> None:
    log = tmp_path / "blocked" / "log"
    log.parent.write_text("a file where a folder should be")
    settings = job(tmp_path, f"file://{log}")
    process = start(JOB, "0", "300", "wait", **settings)
    assert process.stdout is not None
    assert process.stdout.readline() == "reported\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    log.parent.unlink()
    finished(JOB, "300", "1", **settings)
    assert sorted(numbers(log)) == list(range(301))
    assert numbers(log)[:300] == list(range(300))


@pytest.mark.slow
def test_killed_while_it_sends_nothing_is_lost_and_a_replay_counts_it_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    settings = job(tmp_path, f"file://{log}")
    for round_ in range(3):
        process = start(JOB, str(round_ * 3000), "3000", "wait", **settings)
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.communicate()
    finished(JOB, "9000", "1", **settings)
    assert set(numbers(log)) == set(range(9001))
    with new_store() as store:
        store.replay(log)
        sql = "SELECT (SELECT count(*) FROM hop), (SELECT count(*) FROM dead_letter)"
        assert store.sql(sql).fetchall() == [(9001, 0)]


def test_a_line_that_a_killed_process_did_not_finish_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    torn = log / "lineage-j-old.jsonl"
    torn.write_text('{"event":"RecordsMoved"}\n{"event":"Rec')
    other = log / "notes.jsonl"
    other.write_text("no end of ours")
    finished(JOB, "0", "1", **job(tmp_path, f"file://{log}"))
    assert torn.read_text() == '{"event":"RecordsMoved"}\n'
    assert other.read_text() == "no end of ours"


def test_a_log_is_for_others_to_read_and_a_spool_is_not(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with reporting(tmp_path) as reported:
            with hop("a", "b") as h:
                h.keep("1")
            assert reported.events()
            (file,) = reported.log.iterdir()
            assert stat.S_IMODE(file.stat().st_mode) == 0o644
            (segment,) = spooled(tmp_path)
            assert stat.S_IMODE(segment.stat().st_mode) == 0o600
            assert stat.S_IMODE(segment.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_a_user_without_a_home_has_a_spool_too() -> None:
    found = from_environment({"XDG_STATE_HOME": "~nobody-of-this-name/state"})
    assert found.spool.is_absolute()


def test_two_processes_share_a_spool(tmp_path: Path) -> None:
    log = tmp_path / "log"
    settings = job(tmp_path, f"file://{log}")
    both = [start(JOB, str(first), "400", "flush", **settings) for first in (0, 400)]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    found = numbers(log)
    assert sorted(found) == list(range(800))
    assert [n for n in found if n < 400] == list(range(400))


def test_what_goes_elsewhere_stays_for_those_who_go_there(tmp_path: Path) -> None:
    finished(JOB, "0", "5", LINEAGE_FLUSH_SECONDS="0", **job(tmp_path, AWAY))
    log = tmp_path / "log"
    finished(JOB, "5", "1", "flush", **job(tmp_path, f"file://{log}"))
    assert numbers(log) == [5]
    assert len(spooled(tmp_path)) == 1


def test_a_full_spool_loses_what_comes_last_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGE_SPOOL_MIB", "1")
    monkeypatch.setenv("LINEAGE_FLUSH_SECONDS", "0")
    ids = [f"{n:0250}" for n in range(1000)]
    with reporting(tmp_path, emit=AWAY), caplog.at_level(logging.WARNING, "lineage_sdk"):
        for _ in range(100):  # 25 MiB for 1 on the disk and 16 in memory
            with hop("a", "b") as h:
                h.keep(ids)
        counted = lineage_sdk.counters()
        assert counted.reported == 100 == counted.waiting + counted.lost
        assert 10 < counted.lost < 50
        size = sum(path.stat().st_size for path in spooled(tmp_path))
        assert size <= 1 << 20
    assert "is full (1 MiB)" in caplog.text or "events wait to be sent" in caplog.text
    # One line for all that was lost, another for what waits, and one at the end.
    assert len(caplog.records) < 5
    assert "events are lost" in caplog.text


def test_a_spool_that_takes_nothing_is_no_matter_while_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where a folder should be")
    with reporting(tmp_path, strict=True) as reported:
        for n in range(10):
            with hop("a", "b") as h:
                h.keep(str(n))
        assert [event["inputs"] for event in reported.events()] == [[str(n)] for n in range(10)]
        assert lineage_sdk.counters().lost == 0


def test_what_comes_while_memory_is_sent_stays_behind_it(tmp_path: Path) -> None:
    blocked = tmp_path / "spool"
    blocked.write_text("a file where a folder should be")
    spool = Spool(blocked, 1 << 20, 1 << 20)
    assert spool.append(b"1\n")

    def fails() -> None:
        with spool.held_buffer() as lines:
            assert lines == [b"1\n"]
            blocked.unlink()  # now the disk would take it
            assert spool.append(b"2\n")
            raise TransportError("not sent")

    with pytest.raises(TransportError):
        fails()
    with spool.held_buffer() as lines:
        assert lines == [b"1\n", b"2\n"]
        assert spool.append(b"3\n")
    assert (spool.waiting, spool.buffered) == (1, 1)
    own = spool.own()
    assert own is not None
    portion = own.read()
    assert portion is not None
    assert portion.lines == [b"3\n"]
    spool.close()


def test_a_spool_that_somebody_removes_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LINEAGE_FLUSH_SECONDS", "0")
    log = tmp_path / "blocked" / "log"
    log.parent.write_text("a file where a folder should be")
    with reporting(tmp_path, emit=f"file://{log}"):
        _in_a_child(0)
        shutil.rmtree(tmp_path / "spool")
        log.parent.unlink()
        while lineage_sdk.counters().lost == 0:
            lineage_sdk.flush(0.1)
        _in_a_child(20)
        assert lineage_sdk.flush(20)
        counted = lineage_sdk.counters()
    assert counted.lost == 20
    assert numbers(log) == list(range(20, 40))


def test_a_wrong_setting_never_stops_the_job(tmp_path: Path) -> None:
    settings = job(tmp_path, "gopher://x")
    _, said = finished(JOB, "0", "5", **settings)
    assert "LINEAGE_EMIT must be kafka://HOST:PORT" in said
    assert "Traceback" not in said
    with pytest.raises(SettingsError, match="LINEAGE_EMIT must be"):
        from_environment(settings)
    for name, value in (("LINEAGE_STRICT", "maybe"), ("LINEAGE_SPOOL_MIB", "-1")):
        with pytest.raises(SettingsError, match=name):
            from_environment({name: value})


def test_without_an_address_nothing_goes_anywhere(tmp_path: Path) -> None:
    out, said = finished(JOB, "0", "5", "flush", LINEAGE_SPOOL=str(tmp_path / "spool"))
    assert out == "reported\nTrue\n"
    assert said == "LINEAGE_EMIT is not set: what is reported goes nowhere\n"
    assert not (tmp_path / "spool").exists()


def test_a_wrong_event_raises_only_where_strict(tmp_path: Path) -> None:
    with reporting(tmp_path) as reported:
        wrong = lineage_sdk.consent_changed("", "AI_TRAINING", granted=True)
        assert lineage_sdk.emit(wrong) is False
        with pytest.raises(EventError, match="member_id must be a non-empty string"):
            lineage_sdk.emit(wrong, strict=True)
        with pytest.raises(EventError, match="member_id must be a non-empty string"):
            lineage_sdk.consent_changed("", "AI_TRAINING", granted=True, strict=True)
        assert lineage_sdk.emit(object()) is False  # type: ignore[arg-type]  # whatever it is
        assert reported.events() == []
        assert lineage_sdk.counters().refused == 3


def _in_a_child(first: int) -> None:
    for n in range(first, first + 20):
        with hop("a", "b") as h:
            h.keep(str(n))
    if first == 100:
        assert lineage_sdk.flush(20)


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_children_report_too(tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in job(tmp_path, f"file://{tmp_path / 'log'}").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    with reporting(tmp_path) as reported:
        _in_a_child(0)
        context: Any = multiprocessing.get_context(method)
        children = [context.Process(target=_in_a_child, args=(first,)) for first in (100, 200)]
        for child in children:
            child.start()
        _in_a_child(20)
        for child in children:
            child.join(60)
            assert child.exitcode == 0
    # The end of this process sends what a child had left.
    wanted = [*range(40), *range(100, 120), *range(200, 220)]
    assert sorted(numbers(reported.log)) == wanted


POOL = """
import multiprocessing, sys
import lineage_sdk

def moved(n):
    with lineage_sdk.hop("a", "b") as h:
        h.keep(str(n))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    if sys.argv[2] == "pool":
        with context.Pool(2) as pool:  # which kills its processes in the end
            pool.map(moved, range(40))
    else:
        children = [context.Process(target=moved, args=(n,)) for n in range(4)]
        [child.start() for child in children]
        [child.join() for child in children]
"""


@pytest.mark.parametrize(
    ("method", "how", "count"),
    [("fork", "pool", 40), ("spawn", "pool", 40), ("fork", "processes", 4)],
)
def test_children_of_a_process_that_reports_nothing(
    tmp_path: Path, method: str, how: str, count: int
) -> None:
    script = tmp_path / "script.py"
    script.write_text(POOL)
    log = tmp_path / "log"
    command = [sys.executable, str(script), method, how]
    env = environment(**job(tmp_path, f"file://{log}"))
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(numbers(log)) == list(range(count))


def test_a_forked_child_sends_nothing_of_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGE_FLUSH_SECONDS", "0")
    with reporting(tmp_path, emit=AWAY):
        _in_a_child(0)
        child = os.fork()
        if child == 0:  # a child that does nothing
            code = 0 if lineage_sdk.counters().waiting == 0 else 1
            os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert lineage_sdk.counters().waiting == 20


@pytest.mark.timeout(60)  # it might never end
def test_a_handler_of_a_signal_may_report(reported: Reported) -> None:
    busy = False
    reports = {"job": 0, "signal": 0}

    def report(what: str) -> None:
        with hop("a", "b") as h:
            h.keep(what)
        reports[what] += 1

    def handle(*_: object) -> None:
        nonlocal busy
        if not busy:
            busy = True
            report("signal")
            busy = False

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            report("job")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    found = [event["inputs"][0] for event in reported.events()]
    assert {what: found.count(what) for what in reports} == reports
    assert all(reports.values())


def test_the_example_of_the_package_runs(tmp_path: Path) -> None:
    example = lineage_sdk.__doc__ or ""
    lines = [line[4:] for line in example.splitlines() if line[:4] in (">>> ", "... ")]
    finished("\n".join(lines), **job(tmp_path, f"file://{tmp_path}/log"))
    (event,) = events_in(tmp_path / "log")
    assert event["inputs"] == ["contact-1", "contact-2"]
