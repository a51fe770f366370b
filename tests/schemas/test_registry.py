"""Schemas by id, from a table in a file and from a service.

The service here stands in for a schema registry: a small HTTP server that answers as the REST
interface of Confluent's says. No registry itself is run.
"""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import schemas
from schemas import Decoder, Encoder, HttpRegistry, LocalIds, RegistryError, UnknownSchemaError
from tests.schemas.examples import CONSENT, TYPES, content


def test_the_packaged_table_knows_every_schema() -> None:
    ids = LocalIds()
    assert [ids.id_of(event) for event in TYPES] == [1, 2, 3, 4, 5, 6]
    assert all(ids.schema_of(ids.id_of(event)) == event.schema for event in TYPES)


@pytest.mark.parametrize("schema_id", [0, 7, -1])
def test_an_id_that_is_not_in_the_table_is_unknown(schema_id: int) -> None:
    with pytest.raises(UnknownSchemaError, match=f"schema id {schema_id} is not registered"):
        LocalIds().schema_of(schema_id)


def test_a_table_of_ones_own_can_hold_several_versions(tmp_path: Path) -> None:
    today = schemas.CONSENT_CHANGED
    older = json.loads(today.schema)
    older["doc"] = "An older text"
    (tmp_path / "old.avsc").write_text(json.dumps(older))
    (tmp_path / "new.avsc").write_text(today.schema)
    subject = today.subject
    table = {
        "40": {"subject": subject, "version": 1, "file": "old.avsc"},
        "41": {"subject": subject, "version": 2, "file": "new.avsc"},
    }
    (tmp_path / "ids.json").write_text(json.dumps(table))
    ids = LocalIds(tmp_path / "ids.json")
    assert ids.id_of(today) == 41
    value = Encoder(ids).encode(CONSENT)
    old_value = value[:4] + bytes([40]) + value[5:]
    batch = Decoder(ids).decode(today.topic, 0, [0, 1], [old_value, value])
    assert batch.events == 2
    with pytest.raises(RegistryError, match=r"no id for messaging\.message\.sent\.v1-value"):
        ids.id_of(schemas.MESSAGE_SENT)


@pytest.mark.parametrize(
    "table", ["", "[]", "{", '{"1": {}}', '{"x": {"subject": "s", "file": "ids.json"}}', '{"1": 5}']
)
def test_a_table_that_is_none_is_said_so(tmp_path: Path, table: str) -> None:
    (tmp_path / "ids.json").write_text(table)
    with pytest.raises(RegistryError, match="must be JSON such as"):
        LocalIds(tmp_path / "ids.json")


def test_a_table_or_schema_that_is_missing_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"ids\.json can't be read"):
        LocalIds(tmp_path / "ids.json")
    (tmp_path / "ids.json").write_text('{"1": {"subject": "s", "version": 1, "file": "no.avsc"}}')
    with pytest.raises(RegistryError, match=r"no\.avsc can't be read"):
        LocalIds(tmp_path / "ids.json")


class Service(BaseHTTPRequestHandler):
    """Answers as a registry; asked counts what it was asked."""

    known: dict[int, str]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/schemas/ids/13":
            self.answer(500, {"error_code": 50001, "message": "away"})
        elif self.path == "/schemas/ids/14":
            self.answer(200, {"schema": "{}", "schemaType": "PROTOBUF"})
        elif self.path == "/schemas/ids/15":
            self.answer(200, ["no object"])
        elif self.path == "/schemas/ids/16":
            self.answer(200, {"something": "else"})
        elif self.path == "/schemas/ids/17":
            self.answer(404, {"error_code": 404, "message": "HTTP 404 Not Found"})
        else:
            text = self.known.get(int(self.path.rpartition("/")[2]))
            if text is None:
                self.answer(404, {"error_code": 40403, "message": "Schema not found"})
            else:
                self.answer(200, {"schema": text})

    def do_POST(self) -> None:
        self.asked.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = [i for i, text in self.known.items() if text == body["schema"]]
        if not found:
            found = [100 + len(self.known)]
            self.known[found[0]] = body["schema"]
        self.answer(200, {"id": found[0]})

    def answer(self, code: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[tuple[str, type[Service]]]:
    handler = type("Handler", (Service,), {"known": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_is_written_with_a_service_is_read_with_it(
    service: tuple[str, type[Service]],
) -> None:
    url, handler = service
    value = Encoder(HttpRegistry(url)).encode(CONSENT)
    assert value[:5] == b"\0\0\0\0\x64"
    topic = schemas.CONSENT_CHANGED.topic
    batch = Decoder(HttpRegistry(url + "/")).decode(topic, 0, [0], [value])
    assert content(batch)["consent_changes"][0][1] == "c1"
    assert handler.asked == [
        "/subjects/messaging.consent.changed.v1-value/versions",
        "/schemas/ids/100",
    ]


def test_what_is_known_is_not_asked_again(service: tuple[str, type[Service]]) -> None:
    url, handler = service
    encoder, decoder = Encoder(HttpRegistry(url)), Decoder(HttpRegistry(url))
    for _ in range(3):
        value = encoder.encode(CONSENT)
        decoder.decode(schemas.CONSENT_CHANGED.topic, 0, [0, 1], [value, value])
    assert len(handler.asked) == 2


def test_an_id_that_is_not_registered_is_a_dead_letter(
    service: tuple[str, type[Service]],
) -> None:
    url, _ = service
    values = [b"\0\0\0\0\x09abc", b"\0\0\0\0\x0eabc"]
    batch = Decoder(HttpRegistry(url)).decode(schemas.CONSENT_CHANGED.topic, 0, [0, 1], values)
    assert [letter.reason for letter in batch.dead_letters] == [
        "schema id 9 is not registered",
        "schema id 14 is not of an Avro schema",
    ]


@pytest.mark.parametrize("schema_id", [13, 15, 16, 17])
def test_a_service_that_fails_makes_no_dead_letters(
    service: tuple[str, type[Service]], schema_id: int
) -> None:
    url, _ = service
    values = [b"\0\0\0\0" + bytes([schema_id]) + b"abc"]
    with pytest.raises(RegistryError, match="schema registry: ") as error:
        Decoder(HttpRegistry(url)).decode(schemas.CONSENT_CHANGED.topic, 0, [0], values)
    assert not isinstance(error.value, UnknownSchemaError)


def test_a_service_that_is_away_makes_no_dead_letters(
    service: tuple[str, type[Service]],
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, but nobody listens
        registry = HttpRegistry(f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(RegistryError, match="does not answer"):
            registry.schema_of(1)
        with pytest.raises(RegistryError, match="does not answer"):
            Encoder(registry).encode(CONSENT)


@pytest.mark.parametrize("url", ["localhost:8081", "file:///etc/passwd", ""])
def test_the_address_of_a_service_is_an_http_one(url: str) -> None:
    with pytest.raises(RegistryError, match="must begin with http"):
        HttpRegistry(url)
