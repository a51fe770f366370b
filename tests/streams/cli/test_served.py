"""Commands that ask a database which another process holds: through it, alike to the byte."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import lineage
from streams.serve.address_file import ServedAt, address_file, announce, announced
from tests.streams.cli.runner import run
from tests.streams.serve.serving import ENDLESS, ask, holder

pytestmark = pytest.mark.slow  # processes of their own

ROOT = Path(__file__).parents[3]
COMMANDS = [
    ["digest"],
    ["digest", "--json"],
    ["flags"],
    ["flags", "--json"],
    ["flags", "--csv", "--fail-on-flag"],
    ["flags", "--rule", "confidential-inmail-to-third-party", "--message-id", "m1"],
    ["flags", "--dataset", "Raw"],
    ["flags", "--severity", "HIGH", "--vertical", "--columns", "job,message_id"],
    ["flags", "--severity", "high"],
    ["ask", "recipients"],
    ["ask", "message-third-parties", "--param", "message=m1", "--json"],
    ["ask", "new-since", "--param", "since=2024-09-18", "--csv"],
    ["ask", "new-since", "--param", "since=soon"],
    ["sql", "SELECT $a AS a, CAST($b AS INTEGER) + 1 AS b", "--param", "a=x=y", "--param", "b=1"],
    ["sql", "SELECT $a", "--param", "b=1"],
    ["route", "m1"],
    ["route", "m1", "--json"],
    ["route", "nobody"],
    ["check", "LOG"],
    ["check", "LOG", "--json"],
    ["check", "missing"],
    ["sql", "FROM arrival ORDER BY ALL", "--json"],
    ["sql", "SELECT i, i / 3 AS x, TIMESTAMP '2024-01-01' AS t FROM range(20000) t(i)"],
    ["sql", "SELECT 1 AS a, [1] AS b, NULL AS c, 1 AS a", "--csv"],
    ["sql", "SELECT 1 WHERE false", "--csv"],
    ["sql", "DELETE FROM core.flag"],
    ["sql", "SELEC"],
    ["sql", "SELECT INTERVAL 1000000000 MONTHS"],
    ["sql", ENDLESS, "--timeout", "0.3"],
    ["sql", "FROM nope", "--json", "--csv"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command)[:60])
def test_a_command_says_the_same(
    command: list[str], db: Path, log: Path, shared_holder: Path
) -> None:
    arguments = [str(log) if word == "LOG" else word for word in command]
    here = run(*arguments, "--db", db)
    there = run(*arguments, "--db", shared_holder)
    assert (there.code, there.out) == (here.code, here.out)
    assert there.err.replace(str(shared_holder), str(db)) == here.err


@pytest.fixture(scope="module")
def shared_holder(recorded: bytes, tmp_path_factory: pytest.TempPathFactory) -> object:
    db = tmp_path_factory.mktemp("held") / "lineage.duckdb"
    db.write_bytes(recorded)
    with holder(db):
        yield db


def test_without_a_server_it_is_held_as_before(db: Path) -> None:
    with holder(db, "off"):
        ran = run("digest", "--db", db)
        assert (ran.code, ran.out) == (3, "")
        assert "is held by another process" in ran.err


def test_what_a_killed_worker_left_is_removed(db: Path) -> None:
    digest = run("digest", "--db", db).out
    with holder(db) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    assert announced(db) is not None
    assert run("digest", "--db", db).out == digest
    assert announced(db) is None
    assert not address_file(db).exists()


def test_what_tells_of_another_process_is_removed_while_the_database_is_held(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    here = ServedAt(f"http://127.0.0.1:{port}", "t", os.getpid(), socket.gethostname(), "i", "now")
    with holder(db, "off"):
        announce(db, replace(here, pid=_ended_pid()))
        ran = run("digest", "--db", db)
        assert (ran.code, "is held by another process" in ran.err) == (3, True)
        assert announced(db) is None
    with holder(db) as process:
        where = announced(db)
        assert where is not None
        # Its port is another program's by now, which is sent no token.
        announce(db, replace(where, instance="another", pid=process.pid))
        ran = run("digest", "--db", db)
        assert (ran.code, "is held by another process" in ran.err) == (3, True)
        assert announced(db) is None


def _ended_pid() -> int:
    with subprocess.Popen(["true"]) as process:  # noqa: S607 -- of the PATH
        return process.pid


def test_a_worker_that_does_not_answer_is_said(db: Path) -> None:
    with holder(db) as process:
        where = announced(db)
        assert where is not None
        process.send_signal(signal.SIGSTOP)
        try:
            ran = run("digest", "--db", db)
        finally:
            process.send_signal(signal.SIGCONT)
        assert (ran.code, ran.out) == (3, "")
        assert ran.err == f"Error: the store at {where.url} does not answer: TimeoutError\n"
        assert announced(db) == where


def test_an_address_of_another_machine_is_left_alone(db: Path) -> None:
    elsewhere = ServedAt("http://192.0.2.1:1", "t", 1, "another machine", "i", "now")
    announce(db, elsewhere)
    assert run("digest", "--db", db).code == 0
    assert announced(db) == elsewhere


class TestServe:
    """`lineage serve`, where no worker runs."""

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux names the threads in /proc")
    def test_it_ends_on_a_signal_that_another_thread_gets(self, db: Path) -> None:
        """The system gives a signal to any thread; that of Python's handlers may be asleep."""
        command = [sys.executable, "-m", "streams.cli", "serve", "--db", str(db)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("http://")
            threads = [int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()]
            os.kill(max(threads), signal.SIGTERM)
            try:
                assert process.wait(20) == 0
            finally:
                process.kill()

    def test_it_answers_and_ends_on_a_signal(self, db: Path, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text("a-token-of-some-length")
        token.chmod(0o600)
        command = [sys.executable, "-m", "streams.cli", "serve", "--db", str(db)]
        command += ["--token-file", str(token)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                url = process.stdout.readline().strip()
                assert ask(url, "/flags").status == 401
                remote = lineage.connect(url, "a-token-of-some-length")
                assert remote.digest() + "\n" == run("digest", "--db", db).out
                assert announced(db) is None
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
            finally:
                process.kill()

    def test_what_cannot_be_served_is_said(self, db: Path, tmp_path: Path) -> None:
        for arguments, code, said in (
            (["--listen", "nowhere"], 2, "HOST:PORT"),
            (["--listen", "0.0.0.0:0"], 2, "--token-file"),
            (["--token-file", str(tmp_path / "none")], 2, "No such file"),
            (["--listen", "192.0.2.1:1", "--token-file", str(_token(tmp_path))], 3, "192.0.2.1:1"),
        ):
            ran = run("serve", "--db", db, *arguments)
            assert (ran.code, said in ran.err) == (code, True), ran.err
        ran = run("serve", "--db", tmp_path / "missing")
        assert (ran.code, "no such database" in ran.err) == (3, True)


def _token(folder: Path) -> Path:
    path = folder / "token"
    path.write_text("a-token-of-some-length")
    path.chmod(0o600)
    return path


def test_a_copy_is_made_through_the_process_that_holds_it(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = run("digest", "--db", db).out
    monkeypatch.chdir(tmp_path)
    with holder(db):
        made = run("backup", "--db", db, "--to", "copy.duckdb", "--json")
        again = run("backup", "--db", db, "--to", "copy.duckdb")
        verified = run("backup", "--db", db, "--to", "other.duckdb", "--verify")
    size = Path("copy.duckdb").stat().st_size
    assert made.rows == [{"copy": "copy.duckdb", "bytes": size, "digest": None}]
    assert run("digest", "--db", "copy.duckdb").out == digest
    assert (again.code, "is there already" in again.err) == (2, True)
    assert (verified.code, "no digest to compare" in verified.err) == (2, True)
    assert not Path("other.duckdb").exists()
