"""Clients that ask without end, go away, come in crowds, or never read: each costs its limit."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

import lineage
from tests.streams.serve.serving import ENDLESS, ask, serving

pytestmark = pytest.mark.slow  # each waits for a limit

GIANT = "SELECT i, repeat('x', 200) AS text FROM range(2_000_000) t(i)"
END = b"0\r\n\r\n"
"""Of a body that is whole."""


def questions(url: str) -> int:
    """How many questions are at work."""
    return int(ask(url, "/health").json["questions"])


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def asking(url: str, query: str) -> Iterator[socket.socket]:
    """Ask, and read nothing."""
    port = int(url.rpartition(":")[2])
    head = f"POST /sql?format=csv&limit=0 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    head += f"Content-Type: text/plain\r\nContent-Length: {len(query)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall((head + query).encode())
        yield client


def test_an_endless_question_ends_at_its_limit(url: str) -> None:
    for limit in ("limit=0", "limit=10", "format=csv"):
        told = ask(url, f"/sql?timeout=0.3&{limit}", ENDLESS)
        assert told.status == 400
        assert "ended at the limit of 0.3 s" in told.error
    assert questions(url) == 0


@pytest.mark.slow
def test_limits_that_are_not_named_are_those_of_the_server(store: lineage.Store) -> None:
    with serving(store, question_seconds=0.2, question_seconds_max=0.4) as url:
        assert "limit of 0.2 s" in ask(url, "/sql", ENDLESS).error
        for more in (0, 1000):
            assert "limit of 0.4 s" in ask(url, f"/sql?timeout={more}", ENDLESS).error


def test_a_question_ends_when_its_client_goes(url: str) -> None:
    with asking(url, ENDLESS):
        until(lambda: questions(url) == 1)
    until(lambda: questions(url) == 0, 5)


@pytest.mark.slow
def test_a_question_ends_when_its_client_is_killed(url: str) -> None:
    code = f"import lineage; lineage.connect({url!r}).sql({ENDLESS!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as client:
        until(lambda: questions(url) == 1)
        client.send_signal(signal.SIGKILL)
        until(lambda: questions(url) == 0, 5)
    assert ask(url, "/sql", "SELECT 1").status == 200


def test_more_than_there_are_places_for_are_told_to_come_again(store: lineage.Store) -> None:
    with serving(store, questions_max=2, place_seconds_max=0.1) as url:
        with asking(url, ENDLESS), asking(url, ENDLESS):
            until(lambda: questions(url) == 2)
            told = ask(url, "/sql", "SELECT 1")
            assert (told.status, told.headers["retry-after"]) == (503, "1")
            assert "2 questions are being answered" in told.error
            assert ask(url, "/health").status == 200
        until(lambda: questions(url) == 0)
        assert ask(url, "/sql", "SELECT 1").status == 200


@pytest.mark.slow
def test_of_fifty_at_once_all_are_answered_or_told_to_come_again(url: str) -> None:
    statuses: Counter[int] = Counter()

    def one() -> None:
        statuses[ask(url, "/sql?timeout=0.5", ENDLESS).status] += 1

    crowd = [threading.Thread(target=one) for _ in range(50)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(60)
    assert statuses.total() == 50
    assert set(statuses) == {400, 503}
    assert questions(url) == 0
    assert lineage.connect(url).sql("SELECT 1").fetchall() == [(1,)]


@pytest.mark.slow
def test_a_client_of_the_library_waits_for_its_turn(store: lineage.Store) -> None:
    with serving(store, questions_max=1, place_seconds_max=0.1) as url:
        with asking(url, ENDLESS):
            until(lambda: questions(url) == 1)
            answers: list[object] = []
            remote = lineage.connect(url)
            patient = threading.Thread(target=lambda: answers.append(remote.digest()))
            patient.start()
            patient.join(1)
            assert answers == []
        patient.join(30)
    assert answers == [store.digest()]


@pytest.mark.slow
def test_a_client_that_never_reads_is_let_go(store: lineage.Store) -> None:
    with serving(store, stalled_seconds_max=0.5) as url, asking(url, GIANT) as client:
        until(lambda: questions(url) == 1)
        until(lambda: questions(url) == 0, 10)
        assert not rest(client).endswith(END)


@pytest.mark.slow
def test_a_client_that_reads_a_little_now_and_then_is_let_go(store: lineage.Store) -> None:
    with serving(store, sending_seconds_max=1.0) as url, asking(url, GIANT) as client:
        until(lambda: questions(url) == 1)
        until(lambda: bool(client.recv(1000)) and questions(url) == 0, 20)
        assert not rest(client).endswith(END)


def rest(client: socket.socket) -> bytes:
    """The last bytes of what still comes."""
    last = b""
    with suppress(ConnectionError):
        while some := client.recv(1 << 20):
            last = some
    return last


@pytest.mark.slow
def test_a_giant_answer_takes_little_memory_of_the_server(store: lineage.Store) -> None:
    rows = 0
    with serving(store) as url, lineage.connect(url).sql_batches(GIANT) as question:
        for batch in question.batches():
            rows += batch.num_rows
    assert rows == 2_000_000


@pytest.mark.slow
def test_a_question_that_takes_too_much_memory_is_ended_by_itself(url: str) -> None:
    hungry = "SELECT max(len(l)) FROM (SELECT list(i) AS l FROM range(2_000_000_000) t(i))"
    told = ask(url, "/sql?timeout=20", hungry)
    assert told.status == 400
    assert ask(url, "/sql", "SELECT 1").status == 200


@pytest.mark.slow
def test_a_connection_without_a_request_is_closed(store: lineage.Store) -> None:
    with serving(store, idle_seconds_max=0.4) as url:
        port = int(url.rpartition(":")[2])
        for said in (b"", b"GET /health HTTP/1.1\r\nHos", b"POST /sql HTTP/1.1\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                client.sendall(said)
                with suppress(ConnectionError):  # closed as well
                    assert client.recv(1000) == b""


def test_a_body_that_does_not_come_is_not_waited_for(store: lineage.Store) -> None:
    with serving(store, idle_seconds_max=0.4) as url:
        port = int(url.rpartition(":")[2])
        head = f"POST /sql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 99\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(head.encode() + b"SELECT")
            assert client.recv(1000).split()[1] == b"408"


def test_there_are_only_so_many_connections(store: lineage.Store) -> None:
    with serving(store, connections_max=4) as url:
        port = int(url.rpartition(":")[2])
        held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(4)]
        time.sleep(0.2)
        try:
            with pytest.raises(OSError, match=r"[Rr]eset|[Cc]losed"):
                ask(url, "/health")
        finally:
            for each in held:
                each.close()
        until(lambda: _answers(url))


def _answers(url: str) -> bool:
    try:
        return ask(url, "/health").status == 200
    except OSError:
        return False


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"\0" * 100_000])
def test_what_is_no_http_is_answered_or_closed(url: str, sent: bytes) -> None:
    port = int(url.rpartition(":")[2])
    # Closed as well, it may be.
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client, suppress(OSError):
        client.sendall(sent)
        assert client.recv(1000)[:12] in (b"", b"HTTP/1.1 400")
    assert ask(url, "/health").status == 200


def test_a_server_that_stops_ends_its_questions(store: lineage.Store) -> None:
    with serving(store) as url:
        asked = threading.Thread(target=lambda: ask(url, "/sql", ENDLESS))
        asked.start()
        until(lambda: questions(url) == 1)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    asked.join(5)
    assert not asked.is_alive()
    assert store.sql("SELECT 1").fetchall() == [(1,)]
