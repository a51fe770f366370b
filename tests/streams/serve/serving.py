"""Served databases for tests: in this process, or in one of their own that holds the file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lineage
from streams.quack.endpoint import quack_of
from streams.serve.address_file import announced
from streams.serve.limits import SERVE_LIMITS
from streams.serve.readers import Readers
from streams.serve.server import QuestionServer
from streams.serve.settings import ServeSettings

ENDLESS = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b"
# It holds a database as a worker does: nobody else can open it, and it is served.
HOLDER = """
import signal, sys, threading
from pathlib import Path
import lineage
from streams.serve.readers import Readers
from streams.serve.server import QuestionServer
from streams.serve.settings import ServeSettings
db, address = Path(sys.argv[1]), sys.argv[2]
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
with lineage.open(db) as store:
    if address != "off":
        settings = ServeSettings.of(address)
        server = QuestionServer(Readers(store, settings.limits), settings, db, store.backup)
        server.start()
    print("ready", flush=True)
    while not ended.wait(0.2):  # a signal that another thread gets wakes nobody
        pass
    if address != "off":
        server.stop()
"""


@dataclass(frozen=True)
class Told:
    """A response: its status, its headers by their names in lower case, and its body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 -- JSON of any shape
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"]["message"])


def ask(
    url: str,
    path: str,
    body: object = None,
    method: str | None = None,
    **headers: str,
) -> Told:
    """Send one request: a dict as JSON, a text as text/plain."""
    to = urlsplit(url)
    connection = HTTPConnection(to.hostname or "", to.port, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None
    if body is not None:
        kind = "text/plain" if isinstance(body, str) else "application/json"
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        named = {"content-type": kind, **named}
    try:
        connection.request(method or ("GET" if data is None else "POST"), path, data, named)
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Told(response.status, told, response.read())
    finally:
        connection.close()


@contextmanager
def serving(
    store: lineage.Store,
    db: Path | None = None,
    token: str | None = None,
    quack: bool = False,
    **limits: float,
) -> Iterator[str]:
    """Serve a store from this process, with limits of its own; its address."""
    bounds = replace(SERVE_LIMITS, **limits)  # type: ignore[arg-type] # whole ones are given as such
    settings = ServeSettings(token=token, limits=bounds, quack=quack)
    server = QuestionServer(
        Readers(store, settings.limits), settings, db, store.backup, quack=quack_of(settings)
    )
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def holder(db: Path, address: str = "127.0.0.1:0") -> Iterator[subprocess.Popen[str]]:
    """Hold a database in another process, which serves it ("off": which does not)."""
    command = [sys.executable, "-c", HOLDER, str(db), address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.terminate()
            process.wait(30)


def url_of(db: Path) -> str:
    """Return where a database is served."""
    where = announced(db)
    assert where is not None
    return where.url
