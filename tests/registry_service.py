"""A schema registry for tests: a small HTTP server with the REST routes of Confluent's.

GET /subjects, GET /schemas/ids/{id}, POST /subjects/{subject}/versions. It checks what a registry
checks; no registry itself is run.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar
from urllib.parse import unquote, urlsplit

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True)
class Request:
    """What came in. connection: the client's port, so the same one means a connection kept."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    connection: int


@dataclass
class RegistryService:
    """Runs while it is entered. `answers` by path go before what it would answer itself: status,
    headers, body. `credentials`: user and password that it wants. `first_id`: of the schemas that
    are registered; `schemas` by id and `subjects` by name can be filled beforehand.
    """

    first_id: int = 100
    schemas: dict[int, str] = field(default_factory=dict)
    subjects: dict[str, list[int]] = field(default_factory=dict)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    credentials: tuple[str, str] | None = None
    requests: list[Request] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> RegistryService:
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [request.path for request in self.requests]

    def register(self, subject: str, schema: str) -> int:
        """The id of a schema, the same for the same text, as a registry gives it."""
        found = next((i for i, text in self.schemas.items() if text == schema), None)
        if found is None:
            found = max(self.first_id, max(self.schemas, default=0) + 1)
            self.schemas[found] = schema
        versions = self.subjects.setdefault(subject, [])
        if found not in versions:
            versions.append(found)
        return found

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        if method == "GET" and path == "/subjects":
            return 200, sorted(self.subjects)
        if method == "GET" and (match := re.fullmatch(r"/schemas/ids/(\d+)", path)):
            text = self.schemas.get(int(match[1]))
            if text is None:
                return 404, {"error_code": 40403, "message": f"Schema {match[1]} not found"}
            return 200, {"schema": text}
        if method == "POST" and (match := re.fullmatch(r"/subjects/([^/]+)/versions", path)):
            return 200, {"id": self.register(unquote(match[1]), json.loads(body)["schema"])}
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else 40 ms an answer on a connection that is kept
    service: ClassVar[RegistryService]

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        service = self.service
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        port = self.client_address[1]
        service.requests.append(Request(self.command, self.path, dict(self.headers), port))
        path = urlsplit(self.path).path
        if path in service.answers:
            self._send(*service.answers[path])
        elif service.credentials is not None and self._basic() != service.credentials:
            self._send_json(401, {"error_code": 401, "message": "Unauthorized"})
        else:
            self._send_json(*service.answer(self.command, path, body))

    def _basic(self) -> tuple[str, str] | None:
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        user, _, password = base64.b64decode(value).decode().partition(":")
        return user, password

    def _send_json(self, status: int, body: object) -> None:
        self._send(status, {"Content-Type": MEDIA_TYPE}, json.dumps(body).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
