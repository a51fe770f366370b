"""Events over HTTP, to a server of this test that then replays what it received."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import lineage_sdk
from lineage_sdk import hop
from tests.sdk.jobs import reporting
from tests.stores import new_store

pytestmark = pytest.mark.slow  # each waits for a server


class Server:
    """Takes events; `answers` are the codes that it gives first."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.refuses = b"\0"  # what is in a line that it never takes
        self.url = ""
        self.asked = threading.Event()
        self.answering = threading.Event()
        self.answering.set()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.headers.append(dict(self.headers))
            server.asked.set()
            server.answering.wait(60)
            code = server.answers.pop(0) if server.answers else 204
            if server.refuses in body:
                code = 400
            if code == 204:
                server.bodies.append(body)
            self.send_response(code)
            if code == 307:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listening.server_port}/lineage"
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()


def moved(*ids: str) -> None:
    for one in ids:
        with hop("inbox", "warehouse") as h:
            h.keep(one)


def inputs_of(server: Server, tmp_path: Path) -> list[str]:
    """The inputs of the hops that a replay of what was received has."""
    log = tmp_path / "received.jsonl"
    log.write_bytes(b"".join(server.bodies))
    with new_store() as store:
        store.replay(log)
        assert store.sql("FROM dead_letter").fetchall() == []
        rows = store.sql("SELECT record_id FROM hop_record ORDER BY record_id").fetchall()
    return [one for (one,) in rows]


def test_events_are_posted_as_lines_with_the_token(tmp_path: Path, server: Server) -> None:
    with reporting(tmp_path, emit=server.url, token="a-secret"):  # noqa: S106 - of this test
        moved("1", "2", "3")
        assert lineage_sdk.flush(20)
    assert inputs_of(server, tmp_path) == ["1", "2", "3"]
    assert server.headers[0]["Authorization"] == "Bearer a-secret"
    assert server.headers[0]["Content-Type"] == "application/x-ndjson"


@pytest.mark.parametrize("code", [503, 401, 404, 429, 307])
def test_what_may_end_is_tried_again(tmp_path: Path, server: Server, code: int) -> None:
    server.answers = [code, code]
    with reporting(tmp_path, emit=server.url):
        moved("1", "2")
        assert lineage_sdk.flush(20)
    assert inputs_of(server, tmp_path) == ["1", "2"]
    assert lineage_sdk.counters().refused == 0


def test_one_event_that_is_never_taken_does_not_stop_the_others(
    tmp_path: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.refuses = b'"bad"'
    with reporting(tmp_path, emit=server.url):
        moved("1", "2", "bad", "3", "4")
        assert lineage_sdk.flush(20)
        counted = lineage_sdk.counters()
    assert inputs_of(server, tmp_path) == ["1", "2", "3", "4"]
    assert (counted.sent, counted.refused, counted.waiting) == (4, 1, 0)
    assert "an event was refused for good: it answers 400 Bad Request" in caplog.text


def test_the_job_goes_on_while_nobody_answers(tmp_path: Path, server: Server) -> None:
    server.answering.clear()
    with reporting(tmp_path, emit=server.url):
        moved("first")
        assert server.asked.wait(20)
        moved(*map(str, range(500)))
        assert not lineage_sdk.flush(0.1)
        counted = lineage_sdk.counters()
        assert (counted.reported, counted.waiting, counted.sent) == (501, 501, 0)
        server.answering.set()
        assert lineage_sdk.flush(20)
    assert len(inputs_of(server, tmp_path)) == 501


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_FLUSH_SECONDS", "0")
    with serving() as gone:
        pass
    with reporting(tmp_path, emit=gone.url):
        moved("1", "2")
        assert not lineage_sdk.flush(0.1)
        assert lineage_sdk.counters().waiting == 2
