"""A live worker on a real Kafka answers questions to the database that it writes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

import lineage
from streams.kafka.publish import publish
from streams.serve.address_file import announced
from tests.streams.cli.runner import run
from tests.streams.kafka_helpers import PARTITIONS
from tests.streams.quack.attached import attached, remotely
from tests.streams.quack.test_hostile import ASKING
from tests.streams.serve.serving import ENDLESS, ask
from tests.streams.workers import RunningWorker, Worker, digest

pytestmark = pytest.mark.kafka


def url_in(running: RunningWorker, what: str = "questions") -> str:
    said = f"answering {what} at "
    running.until(said)
    (line,) = (line for line in running.lines if said in line)
    return line.rpartition(" ")[2]


def stopped(running: RunningWorker) -> None:
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(30) == 0, running.lines[-5:]


def test_commands_go_through_the_worker_while_it_records(
    worker: Worker, log: Path, replayed: Path, tmp_path: Path
) -> None:
    running = worker.command()
    url = url_in(running)
    hungry = [
        threading.Thread(target=lambda: ask(url, "/sql?timeout=3", ENDLESS)) for _ in range(6)
    ]
    for thread in hungry:
        thread.start()
    killed = subprocess.Popen(
        [sys.executable, "-c", f"import lineage; lineage.connect({url!r}).sql({ENDLESS!r})"]
    )
    sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
    killed.kill()
    killed.wait()
    worker.until_committed(sent)
    for thread in hungry:
        thread.join(30)
    for command in (["digest"], ["flags", "--json"], ["check", str(log)]):
        there = run(*command, "--db", worker.db)
        here = run(*command, "--db", replayed)
        assert (there.code, there.out, there.err) == (here.code, here.out, here.err)
    copy = tmp_path / "copy.duckdb"
    assert run("backup", "--db", worker.db, "--to", copy).code == 0
    assert digest(copy) == digest(replayed)
    assert ask(url, "/backup", {"to": str(tmp_path / "no")}).status == 401
    stopped(running)
    assert announced(worker.db) is None
    assert digest(worker.db) == digest(replayed)


def test_a_port_that_is_taken_is_said_and_ends_nothing(worker: Worker, log: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = worker.command("--serve", f"127.0.0.1:{port}")
        running.until(f"nothing can be served at 127.0.0.1:{port}: Address already in use")
        sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
        worker.until_committed(sent)
        stopped(running)
    assert announced(worker.db) is None


def test_it_can_be_turned_off(worker: Worker) -> None:
    running = worker.command("--no-serve")
    running.until("Ready")
    time.sleep(0.5)
    assert not any("answering questions" in line for line in running.lines)
    assert announced(worker.db) is None
    stopped(running)


def test_a_killed_worker_leaves_an_address_that_the_next_one_replaces(worker: Worker) -> None:
    running = worker.command()
    first = url_in(running)
    running.process.kill()
    running.process.wait()
    again = worker.command()
    second = url_in(again)
    where = announced(worker.db)
    assert where is not None
    assert (where.url, where.pid) == (second, again.process.pid)
    assert lineage.connect(second).sql("SELECT 1").fetchall() == [(1,)]
    with pytest.raises(lineage.StoreUnreachableError):
        lineage.connect(first).digest()
    stopped(again)


def test_duckdb_s_own_clients_ask_while_it_records(
    worker: Worker, log: Path, replayed: Path
) -> None:
    running = worker.command("--quack")
    url = url_in(running, "questions, and DuckDB's quack")
    where = announced(worker.db)
    assert where is not None
    with attached(url, where.token) as client:
        assert client.sql("FROM r.flag").fetchall() == []
        endless = [sys.executable, "-c", ASKING, url, where.token, ENDLESS]
        with subprocess.Popen(endless, stdout=subprocess.PIPE) as killed:
            sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
            while ask(url, "/health").json["questions"] == 0:
                time.sleep(0.05)
            killed.kill()
        worker.until_committed(sent)
        with lineage.open(replayed, read_only=True) as store:
            here = store.sql("FROM flag ORDER BY ALL").fetchall()
        assert client.sql("FROM r.flag ORDER BY ALL").fetchall() == here
        with pytest.raises(duckdb.Error, match="only a SELECT can be asked"):
            client.sql(remotely("DELETE FROM core.flag"))
    stopped(running)
    assert digest(worker.db) == digest(replayed)
