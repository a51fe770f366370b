"""Clients that ask without end, are killed, or fetch no further: each costs its limit."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import lineage
from streams.quack.endpoint import quack_of
from streams.serve.address_file import announced
from streams.serve.readers import Readers
from streams.serve.server import QuestionServer
from streams.serve.settings import ServeSettings
from tests.stores import new_database
from tests.streams.cli.runner import EVENTS
from tests.streams.quack import raw
from tests.streams.quack.attached import TOKEN, attached
from tests.streams.serve.serving import ENDLESS, ask, serving

pytestmark = pytest.mark.slow  # each waits for a limit

ROOT = Path(__file__).parents[3]
GIANT = "SELECT i, repeat('x', 200) AS text FROM range(2_000_000) t(i)"
ASKING = """
import sys, duckdb, lineage
url, token, query = sys.argv[1:]
client = duckdb.connect()
client.execute("SET enable_progress_bar = false")  # it would be shown on stdout
lineage.attach(client, url, token, "r")
print("attached", flush=True)
client.execute("FROM r.query(?)", [query]).fetchall()
"""
_MIB = 2**20


def questions(url: str) -> int:
    """How many questions are at work."""
    return int(ask(url, "/health").json["questions"])


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def asking(url: str, query: str, token: str = TOKEN) -> Iterator[subprocess.Popen[str]]:
    """A client in a process of its own, which asks, and is killed in the end."""
    command = [sys.executable, "-c", ASKING, url, token, query]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "attached\n"
            yield process
        finally:
            process.kill()


def test_an_endless_question_ends_at_its_limit(store: lineage.Store) -> None:
    with serving(store, token=TOKEN, quack=True, question_seconds=0.3) as url:
        kind, said = raw.told(url, raw.prepare(raw.connected(url), ENDLESS))
        assert (kind, "ended at the limit of 0.3 s" in said) == (raw.FAILED, True)
        assert questions(url) == 0


def test_a_client_that_is_killed_ends_its_question(url: str) -> None:
    with asking(url, ENDLESS):
        until(lambda: questions(url) == 1)
    until(lambda: questions(url) == 0)


def test_a_client_that_fetches_no_further_is_let_go(store: lineage.Store) -> None:
    with serving(store, token=TOKEN, quack=True, stalled_seconds_max=0.5) as url:
        name = raw.connected(url)
        answer = raw.answer_in(raw.post(url, raw.prepare(name, GIANT)))
        until(lambda: questions(url) == 0)
        kind, _ = raw.told(url, raw.fetch(name, answer))
        assert kind == raw.FAILED
        with attached(url) as client:
            assert len(client.sql("FROM r.flag")) == 4


def test_a_client_that_is_done_ends_its_questions(url: str) -> None:
    name = raw.connected(url)
    raw.post(url, raw.prepare(name, GIANT))
    assert questions(url) == 1
    raw.post(url, raw.message(raw.DISCONNECT, connection=name))
    until(lambda: questions(url) == 0)


def test_a_client_that_draws_its_answer_out_is_let_go(store: lineage.Store) -> None:
    with serving(store, token=TOKEN, quack=True, sending_seconds_max=3) as url:
        name = raw.connected(url)
        answer = raw.answer_in(raw.post(url, raw.prepare(name, GIANT + ", range(1_000)")))
        until(lambda: raw.told(url, raw.fetch(name, answer))[0] == raw.FAILED)
        until(lambda: questions(url) == 0)


def test_so_many_are_answered_at_once_and_the_next_is_told_to_come_again(
    store: lineage.Store,
) -> None:
    with serving(store, token=TOKEN, quack=True, questions_max=2, place_seconds_max=0.3) as url:
        with asking(url, ENDLESS), asking(url, ENDLESS):
            until(lambda: questions(url) == 2)
            with attached_to_busy(url) as told:
                assert "as many as there may be at once; ask again" in told
        until(lambda: questions(url) == 0)
        with attached(url) as client:
            assert len(client.sql("FROM r.flag")) == 4


@contextmanager
def attached_to_busy(url: str) -> Iterator[str]:
    with pytest.raises(duckdb.Error) as busy, attached(url):
        pass
    yield str(busy.value)


def test_an_answer_is_ended_where_its_memory_is_needed(store: lineage.Store) -> None:
    settings = ServeSettings(token=TOKEN, quack=True)
    readers = Readers(store)
    server = QuestionServer(readers, settings, None, store.backup, quack=quack_of(settings))
    server.start()
    try:
        name = raw.connected(server.url)
        answer = raw.answer_in(raw.post(server.url, raw.prepare(name, GIANT)))
        with readers.held_off():
            assert readers.at_work == 0
        kind, said = raw.told(server.url, raw.fetch(name, answer))
        assert (kind, "needs its memory; ask again" in said) == (raw.FAILED, True)
        assert raw.told(server.url, raw.prepare(name, "SELECT 1"))[0] == raw.PREPARED
    finally:
        server.stop()


def test_threads_of_a_client_share_an_answer(url: str) -> None:
    """Each part goes to one of them, and all get the end."""
    name = raw.connected(url)
    answer = raw.answer_in(raw.post(url, raw.prepare(name, "FROM range(1_000_000)")))
    parts: list[int] = []

    def fetch() -> None:
        while (size := len(raw.post(url, raw.fetch(name, answer)))) > 100:
            parts.append(size)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 8 * 800_000 < sum(parts) < 8 * 1_100_000
    assert questions(url) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's memory in /proc")
def test_killed_clients_leave_the_process_as_it_was(tmp_path: Path) -> None:
    """Ten in the middle of an endless question, and a new client gets its answer."""
    with new_database() as db:
        with lineage.open(db) as store:
            store.apply(EVENTS)
            digest = store.digest()
        command = [sys.executable, "-m", "streams.cli", "serve", "--db", str(db), "--quack"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                url = process.stdout.readline().strip()
                where = announced(db)
                assert where is not None
                killed(url, where.token)
                before = resident(process.pid)
                for _ in range(10):
                    killed(url, where.token)
                with attached(url, where.token) as client:
                    assert len(client.sql("FROM r.flag")) == 4
                assert resident(process.pid) < before + 128 * _MIB
                assert busy_seconds(process.pid, 1) < 0.5
                assert lineage.connect(url).digest() == digest
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
            finally:
                process.kill()
        assert announced(db) is None


def killed(url: str, token: str) -> None:
    with asking(url, ENDLESS, token):
        until(lambda: questions(url) == 1)
    until(lambda: questions(url) == 0)


def resident(pid: int) -> int:
    """Bytes of memory that a process occupies."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def busy_seconds(pid: int, seconds: float) -> float:
    """Seconds of a processor that a process takes in so many."""
    before = _processor_ticks(pid)
    time.sleep(seconds)
    return (_processor_ticks(pid) - before) / 100


def _processor_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
