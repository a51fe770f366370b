"""A worker on a real Kafka tells a webhook of every flag, also if it is killed meanwhile."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import lineage
from streams.kafka.publish import publish
from tests.streams.kafka_helpers import PARTITIONS
from tests.streams.workers import Worker

pytestmark = pytest.mark.kafka


class Hook(ThreadingHTTPServer):
    """A receiver of webhooks that keeps what comes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.events: list[dict[str, Any]] = []
        self.some = threading.Event()


class Taker(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.events.append(json.loads(body))
        if len(self.server.events) > 20:
            self.server.some.set()
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_all_flags_are_told_though_the_worker_is_killed(
    worker: Worker, log: Path, hook: Hook, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{hook.server_address[1]}/"
    file = tmp_path / "alerts.yaml"
    file.write_text(f"receivers: [{{name: hook, webhook: '{address}', since: beginning}}]\n")
    publish([log], worker.bootstrap, PARTITIONS)
    running = worker.command("--alerts", str(file))
    assert hook.some.wait(60)
    running.process.kill()
    running.process.wait()
    for _ in range(2):  # the second has what the first could not send before it ended
        ended = worker.command("--once", "--alerts", str(file))
        assert ended.process.wait(90) == 0, ended.lines[-5:]
    with lineage.open(worker.db, read_only=True) as store:
        query = "SELECT rule, message_id, dataset FROM flag"
        standing = set(store.sql(query).fetchall())
    last: dict[str, dict[str, Any]] = {one["data"]["fingerprint"]: one for one in hook.events}
    told = {
        (one["data"]["rule"], one["data"]["message_id"], one["data"]["dataset"])
        for one in last.values()
        if not one["type"].endswith(".cleared")
    }
    assert told == standing
    assert len(standing) > 20
