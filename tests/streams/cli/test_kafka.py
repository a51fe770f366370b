"""`publish`, `worker` and `broker`."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.streams.cli.running import EVENTS, FLAGS, flag, run, write_log

CLOSED = "127.0.0.1:1"
LINEAGE = [sys.executable, "-c", "from streams.cli import main; main()"]
NO_BROKER = {"LINEAGE_BOOTSTRAP": ""}


@pytest.mark.parametrize("command", [["publish", "x.jsonl"], ["worker", "--db", "x"]], ids=" ".join)
def test_a_broker_must_be_named(command: list[str]) -> None:
    ran = run(*command, env=NO_BROKER)
    assert (ran.code, ran.out) == (2, "")
    assert "--bootstrap" in ran.err
    assert "LINEAGE_BOOTSTRAP" in ran.err


def test_a_broker_that_does_not_answer_is_not_available(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    for command in (["publish", log], ["worker", "--db", path, "--once"]):
        ran = run(*command, env={"LINEAGE_BOOTSTRAP": CLOSED})
        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith(f"Error: no Kafka broker at {CLOSED}")
        assert run(*command, "--bootstrap", "no address").code == 3
    assert not path.exists()


def test_publish_says_first_which_path_is_wrong(tmp_path: Path) -> None:
    ran = run("publish", tmp_path / "missing", "--bootstrap", CLOSED)
    assert (ran.code, ran.out) == (2, "")
    assert "missing" in ran.err
    assert run("publish", tmp_path, "--bootstrap", CLOSED, "--partitions", 0).code == 2


def test_broker_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    ran = run("broker", "--dir", tmp_path / "kafka")
    assert (ran.code, ran.out) == (3, "")
    assert "Java" in ran.err
    (tmp_path / "file").touch()
    assert run("broker", "--dir", tmp_path / "file").code == 2
    assert run("broker", "--port", 65536).code == 2


@pytest.mark.kafka
def test_what_is_published_and_worked_off_is_what_is_replayed(
    no_topics: str, log: Path, tmp_path: Path
) -> None:
    bad = write_log(tmp_path / "bad.jsonl", [{"event": "Nonsense"}])
    ran = run("publish", log, bad, "--bootstrap", no_topics, "--partitions", 2, "--json")
    assert ran.code == 0, ran.err
    (sent,) = ran.rows
    assert sum(sent["events"].values()) == len(EVENTS)
    assert sent["dead_letters"] == 1
    again = run("publish", log, "--bootstrap", no_topics, "--partitions", 3)
    assert again.code == 0
    assert "exists with 2 partitions, not 3" in again.err

    live, replayed = tmp_path / "live.duckdb", tmp_path / "replayed.duckdb"
    worker = subprocess.run(
        [*LINEAGE, "worker", "--once", "--db", str(live), "--bootstrap", no_topics],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert worker.returncode == 0, worker.stderr
    assert worker.stdout == ""
    assert run("replay", log, "--db", replayed).code == 0
    assert run("digest", "--db", live).out == run("digest", "--db", replayed).out
    assert run("flags", "--db", live, "--json").rows == [flag(row) for row in FLAGS]
    assert run("doctor", "--bootstrap", no_topics).code == 0


@pytest.mark.kafka
@pytest.mark.usefixtures("local_broker_possible")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_broker_tells_its_address_and_ends_on_a_signal(tmp_path: Path, ending: int) -> None:
    process = subprocess.Popen(
        [*LINEAGE, "broker", "--dir", str(tmp_path / "kafka")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert run("doctor", "--bootstrap", address).code == 0
        process.send_signal(ending)
        out, err = process.communicate(timeout=40)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, ""), err
