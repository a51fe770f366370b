"""Schemas by id, from a table in a file and from a service."""

import json
import pickle
import socket
import struct
import threading
import traceback
import urllib.parse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lineage import codec
from lineage.codec import (
    Decoder,
    Encoder,
    LocalIds,
    RegistryError,
    UnknownSchemaError,
)
from lineage.codec.avro.logical_types import UnreadableSchemaError
from lineage.codec.avro.reader import Reader
from streams.kafka.limits import KAFKA_LIMITS
from streams.kafka.registry.client import HttpRegistry, registry_at
from tests.lineage.codec.examples import CONSENT, GOOD, TYPES, content
from tests.registry_service import RegistryService

TOPIC = codec.CONSENT_CHANGED.topic
USER, SECRET, TOKEN = "au.dit", "pa:s/s#w@rd", "t0ken"


def test_the_packaged_table_knows_every_schema() -> None:
    ids = LocalIds()
    assert [ids.id_of(event) for event in TYPES] == [1, 2, 3, 4, 5, 6]
    assert all(ids.schema_of(ids.id_of(event)) == event.schema for event in TYPES)


@pytest.mark.parametrize("schema_id", [0, 7, -1])
def test_an_id_that_is_not_in_the_table_is_unknown(schema_id: int) -> None:
    with pytest.raises(UnknownSchemaError, match=f"schema id {schema_id} is not registered"):
        LocalIds().schema_of(schema_id)


def test_a_table_of_ones_own_can_hold_several_versions(tmp_path: Path) -> None:
    today = codec.CONSENT_CHANGED
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
        ids.id_of(codec.MESSAGE_SENT)


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


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def service() -> Iterator[RegistryService]:
    with RegistryService() as running:
        yield running


class Clock:
    """Seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def value(schema_id: int) -> bytes:
    return struct.pack(">bI", 0, schema_id) + b"abc"


def reasons(decoder: Decoder, *ids: int) -> list[str]:
    batch = decoder.decode(TOPIC, 0, range(len(ids)), [value(i) for i in ids])
    return [letter.reason for letter in batch.dead_letters]


def test_what_is_written_with_a_service_is_read_with_it(service: RegistryService) -> None:
    written = Encoder(HttpRegistry(service.url)).encode(CONSENT)
    assert written[:5] == b"\0\0\0\0\x64"
    batch = Decoder(HttpRegistry(service.url + "/")).decode(TOPIC, 0, [0], [written])
    assert content(batch)["consent_changes"][0][1] == "c1"
    assert service.asked == [f"/subjects/{TOPIC}-value/versions", "/schemas/ids/100"]


def test_what_is_known_is_not_asked_again(service: RegistryService) -> None:
    encoder, decoder = Encoder(HttpRegistry(service.url)), Decoder(HttpRegistry(service.url))
    for _ in range(3):
        written = encoder.encode(CONSENT)
        decoder.decode(TOPIC, 0, [0, 1], [written, written])
    assert len(service.asked) == 2


def test_a_path_in_the_url_is_kept(service: RegistryService) -> None:
    service.answers["/team/registry/schemas/ids/1"] = 200, {}, b'{"schema": "text"}'
    assert HttpRegistry(f"{service.url}/team/registry/").schema_of(1) == "text"


def test_the_subjects_are_listed(service: RegistryService) -> None:
    registry = HttpRegistry(service.url)
    assert registry.subjects() == frozenset()
    for event in TYPES[:2]:
        registry.id_of(event)
    assert registry.subjects() == {event.subject for event in TYPES[:2]}
    service.answers["/subjects"] = 200, {}, b"{}"
    with pytest.raises(RegistryError, match="something else than a list of subjects"):
        registry.subjects()


def test_without_a_url_the_ids_are_those_of_the_package(service: RegistryService) -> None:
    assert isinstance(registry_at(None), LocalIds)
    assert isinstance(registry_at(""), LocalIds)
    assert isinstance(registry_at(service.url), HttpRegistry)
    assert str(registry_at(None)) == "the table of ids that comes with this program"
    assert str(registry_at(service.url)) == f"the schema registry at {service.url}"


def test_an_id_that_is_not_registered_is_a_dead_letter(service: RegistryService) -> None:
    service.answers["/schemas/ids/14"] = 200, {}, b'{"schema": "{}", "schemaType": "PROTOBUF"}'
    assert reasons(Decoder(HttpRegistry(service.url)), 9, 14) == [
        "schema id 9 is not registered",
        "schema id 14 is not of an Avro schema",
    ]


class TestAFloodOfBadIds:
    """Many values whose ids the registry does not know, or knows as something else."""

    def test_an_unknown_id_is_asked_for_again_only_after_a_while(
        self, service: RegistryService
    ) -> None:
        clock = Clock()
        decoder = Decoder(HttpRegistry(service.url, clock))
        for _ in range(3):
            assert reasons(decoder, 9, 9) == ["schema id 9 is not registered"] * 2
            clock.seconds += KAFKA_LIMITS.unknown_id_seconds / 4
        assert service.asked == ["/schemas/ids/9"]
        clock.seconds += KAFKA_LIMITS.unknown_id_seconds
        assert len(reasons(decoder, 9)) == 1
        assert len(service.asked) == 2

    def test_an_id_that_is_registered_later_is_found(self, service: RegistryService) -> None:
        service.first_id = 9
        clock = Clock()
        decoder = Decoder(HttpRegistry(service.url, clock))
        assert len(reasons(decoder, 9)) == 1
        written = Encoder(HttpRegistry(service.url)).encode(CONSENT)
        clock.seconds += KAFKA_LIMITS.unknown_id_seconds
        batch = decoder.decode(TOPIC, 0, [0, 1], [written, value(9)])
        assert (batch.events, len(batch.dead_letters)) == (1, 1)
        assert "not a whole ConsentChanged" in batch.dead_letters[0].reason

    def test_no_more_than_a_second_of_good_values_can_be_taken_for_unknown(self) -> None:
        assert 0 < KAFKA_LIMITS.unknown_id_seconds <= 1

    def test_how_many_unknown_ids_are_remembered_is_bounded(self, service: RegistryService) -> None:
        clock = Clock()
        registry = HttpRegistry(service.url, clock, replace(KAFKA_LIMITS, unknown_ids_max=10))
        decoder = Decoder(registry)
        assert len(reasons(decoder, *range(30))) == 30
        assert len(registry._unknown) == 10
        assert len(reasons(decoder, *range(20, 30))) == 10
        assert len(service.asked) == 30
        clock.seconds += 2 * KAFKA_LIMITS.unknown_id_seconds
        for schema_id in range(20, 31):
            reasons(decoder, schema_id)
        assert len(registry._unknown) <= 11

    def test_all_are_asked_for_on_one_connection(self, service: RegistryService) -> None:
        decoder = Decoder(HttpRegistry(service.url))
        assert len(reasons(decoder, *range(300))) == 300
        assert len({request.connection for request in service.requests}) == 1

    def test_a_schema_of_something_else_is_asked_for_and_parsed_once(
        self, service: RegistryService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[str] = []

        class Counting(Reader):
            def __init__(self, event: codec.EventType, schema: str) -> None:
                made.append(schema)
                super().__init__(event, schema)

        monkeypatch.setattr("lineage.codec.wire.Reader", Counting)
        service.schemas = {7: codec.MESSAGE_SENT.schema, 8: "no schema"}
        service.answers["/schemas/ids/14"] = 200, {}, b'{"schema": "{}", "schemaType": "JSON"}'
        decoder = Decoder(HttpRegistry(service.url))
        for _ in range(5):
            assert reasons(decoder, 7, 8, 14) == [
                "the value has schema id 7: it is of MessageSent, not of ConsentChanged",
                "the value has schema id 8: it is not an Avro schema",
                "schema id 14 is not of an Avro schema",
            ]
        assert len(made) == 2
        assert sorted(service.asked) == [f"/schemas/ids/{i}" for i in (14, 7, 8)]


FAILURES = {
    "500": (500, {}, b'{"error_code": 50001, "message": "away"}'),
    "503 without a body": (503, {}, b""),
    "404 of another page": (404, {}, b"<html>no such page</html>"),
    "404 of another service": (404, {}, b'{"error_code": 404}'),
    "401": (401, {}, b'{"error_code": 401}'),
    "no object": (200, {}, b'["no object"]'),
    "no schema": (200, {}, b'{"something": "else"}'),
    "no JSON": (200, {}, b"<html>it works</html>"),
    "deep JSON": (200, {}, b"[" * 100_000),
    "elsewhere": (302, {"Location": "http://127.0.0.1:9/schemas/ids/13"}, b""),
    "an empty elsewhere": (302, {"Location": "http://"}, b""),
    "a long answer": (200, {}, b" " * (KAFKA_LIMITS.registry_answer_bytes_max + 1)),
    "a short answer": (200, {"Content-Length": "100", "Connection": "close"}, b"{}"),
}


def whole_text(error: BaseException | None) -> str:
    """All that can be seen of an error and those behind it."""
    said: list[str] = []
    while error is not None:
        said += [
            str(error),
            repr(error),
            repr(error.args),
            "".join(traceback.format_exception(error)),
        ]
        error = error.__cause__ or error.__context__
    return "\n".join(said)


def with_secrets(url: str) -> str:
    """The URL with user, password and a token, as a person has to write them."""
    host = url.removeprefix("http://")
    return f"http://{USER}:{urllib.parse.quote(SECRET, safe='')}@{host}?api_key={TOKEN}"


def assert_no_secret(text: str) -> None:
    for secret in (USER, SECRET, urllib.parse.quote(SECRET, safe=""), TOKEN, "api_key", "Basic "):
        assert secret not in text


@pytest.mark.parametrize("failure", FAILURES)
def test_a_service_that_fails_makes_no_dead_letters_and_tells_no_secret(
    service: RegistryService, failure: str
) -> None:
    service.answers["/schemas/ids/13"] = FAILURES[failure]
    service.answers[f"/subjects/{TOPIC}-value/versions"] = FAILURES[failure]
    registry = HttpRegistry(
        with_secrets(service.url), limits=replace(KAFKA_LIMITS, registry_step_seconds_max=5.0)
    )
    with pytest.raises(RegistryError, match="schema registry: ") as error:
        reasons(Decoder(registry), 13)
    assert not isinstance(error.value, UnknownSchemaError)
    assert service.url in str(error.value)
    assert_no_secret(whole_text(error.value))
    assert_no_secret(f"{registry} {registry!r} {registry._client.address!r}")
    # The second process of a worker sends it to the first.
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)  # noqa: S301 - our own
    with pytest.raises(RegistryError, match="schema registry: ") as error:
        Encoder(registry).encode(CONSENT)
    assert_no_secret(whole_text(error.value))
    # A fault of one answer is none of the next.
    del service.answers["/schemas/ids/13"]
    assert reasons(Decoder(registry), 13) == ["schema id 13 is not registered"]


def test_what_a_service_answered_is_told(service: RegistryService) -> None:
    registry = HttpRegistry(service.url)
    for name, said in {
        "500": "/schemas/ids/13 answered 500 Internal Server Error (error code 50001)",
        "404 of another page": "/schemas/ids/13 answered 404 Not Found",
        "401": "answered 401 Unauthorized; if it wants a user and password, give them in its URL",
        "no JSON": 'answered something without "schema"',
        "elsewhere": "answered 302 Found; it points to http://127.0.0.1:9: give that",
    }.items():
        service.answers["/schemas/ids/13"] = FAILURES[name]
        with pytest.raises(RegistryError) as error:
            registry.schema_of(13)
        assert said in str(error.value)
        assert service.url in str(error.value)


@pytest.mark.parametrize("answered", [b'{"id": true}', b'{"id": -1}', b'{"id": 4294967296}'])
def test_an_id_that_no_value_can_carry_is_refused(
    service: RegistryService, answered: bytes
) -> None:
    service.answers[f"/subjects/{TOPIC}-value/versions"] = 200, {}, answered
    with pytest.raises(RegistryError, match='"id"'):
        Encoder(HttpRegistry(service.url)).encode(CONSENT)


def test_a_subject_with_another_schema_is_told(service: RegistryService) -> None:
    service.answers[f"/subjects/{TOPIC}-value/versions"] = 409, {}, b'{"error_code": 409}'
    with pytest.raises(RegistryError, match=r"409 Conflict; the subject holds a schema that"):
        Encoder(HttpRegistry(service.url)).encode(CONSENT)


def test_user_and_password_of_the_url_are_sent(service: RegistryService) -> None:
    service.credentials = USER, SECRET
    registry = HttpRegistry(with_secrets(service.url))
    assert registry.id_of(codec.CONSENT_CHANGED) == 100
    assert registry.schema_of(100) == codec.CONSENT_CHANGED.schema
    assert all(path.endswith(f"?api_key={TOKEN}") for path in service.asked)
    assert str(registry) == f"the schema registry at {service.url}"


def test_a_wrong_password_is_told(service: RegistryService) -> None:
    service.credentials = USER, "another"
    with pytest.raises(RegistryError, match="401 Unauthorized; the user or password are not"):
        HttpRegistry(with_secrets(service.url)).schema_of(1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_no_secret_to_another_host(service: RegistryService, status: int) -> None:
    with RegistryService() as elsewhere:
        target = with_secrets(elsewhere.url)
        service.answers["/schemas/ids/1"] = status, {"Location": target}, b""
        service.answers[f"/subjects/{TOPIC}-value/versions"] = status, {"Location": target}, b"{}"
        registry = HttpRegistry(with_secrets(service.url))
        for asking in (lambda: registry.schema_of(1), lambda: Encoder(registry).encode(CONSENT)):
            with pytest.raises(RegistryError, match=f"points to {elsewhere.url}: give") as error:
                asking()
            assert_no_secret(whole_text(error.value))
        assert elsewhere.requests == []


def test_a_service_that_is_away_makes_no_dead_letters() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        registry = HttpRegistry(with_secrets(url))
        for asking in (lambda: registry.schema_of(1), lambda: Encoder(registry).encode(CONSENT)):
            with pytest.raises(RegistryError, match=f"{url} does not answer") as error:
                asking()
            assert "Connection refused" in str(error.value)
            assert_no_secret(whole_text(error.value))


def test_a_service_that_is_silent_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        registry = HttpRegistry(
            with_secrets(url), limits=replace(KAFKA_LIMITS, registry_step_seconds_max=0.2)
        )
        with pytest.raises(RegistryError, match=r"nothing came in 0\.2 s") as error:
            registry.subjects()
        assert_no_secret(whole_text(error.value))


def test_a_service_that_speaks_another_language_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        registry = HttpRegistry(with_secrets(url))

        def speak() -> None:
            connection, _ = other.accept()
            with connection:
                connection.sendall(b"220 mail.example ESMTP\r\n")
                connection.recv(10_000)

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(RegistryError, match="does not speak HTTP") as error:
            registry.subjects()
        thread.join()
        assert_no_secret(whole_text(error.value))


def test_a_connection_that_was_closed_meanwhile_is_opened_anew() -> None:
    with RegistryService() as first:
        registry = HttpRegistry(first.url)
        registry.id_of(codec.CONSENT_CHANGED)
        closed = socket.socket(fileno=socket.dup(registry._client._connection.sock.fileno()))
        with closed:
            closed.shutdown(socket.SHUT_RDWR)
        registry.id_of(codec.MESSAGE_SENT)
    assert len({request.connection for request in first.requests}) == 2


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8081",
        "file:///etc/passwd",
        "http://",
        "http:///subjects",
        f"ftp://{USER}:{SECRET}@host?api_key={TOKEN}",
        f"{USER}:{SECRET}@host",
        f"http://{USER}:{TOKEN}#1@host:8081",  # what is behind # is no part of the host
        f"http://{USER}:{TOKEN}/1@host:8081",
        f"http://{USER}:{TOKEN}@host:port",
        f"http://{USER}:{TOKEN}@host:99999",
        f"http://{USER}:{TOKEN}@[::1",
        f"http://{USER}:{TOKEN}@ho st",
        f"http://{USER}:{TOKEN}@host\x00",
        f"http://{USER}:{TOKEN}@a..b",
        f"http://{USER}:{TOKEN}@{'a' * 70}",
    ],
)
def test_a_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(RegistryError, match="must begin with http") as error:
        HttpRegistry(url)
    assert_no_secret(whole_text(error.value))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost:8081/", "http://localhost:8081"),
        ("HTTPS://user@Registry.example", "https://registry.example"),
        ("http://:secret@host:8081/a b?x".replace(" ", "%20"), "http://host:8081/a%20b"),
        ("http://user:@[::1]:8081?token=x", "http://[::1]:8081"),
        (" http://host \n", "http://host"),
    ],
)
def test_what_is_shown_of_a_url(url: str, shown: str) -> None:
    assert str(HttpRegistry(url)) == f"the schema registry at {shown}"


class TestThroughAProxy:
    """The environment can name a proxy, as for other programs."""

    def test_it_is_asked_for_the_whole_url(
        self, service: RegistryService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.schemas[1] = "text"
        monkeypatch.setenv("http_proxy", with_secrets(service.url).partition("?")[0])
        assert HttpRegistry("http://me:mine@registry.invalid").schema_of(1) == "text"
        [request] = service.requests
        assert request.path == "http://registry.invalid:80/schemas/ids/1"
        assert request.headers["Proxy-Authorization"] != request.headers["Authorization"]

    def test_what_fails_is_told_without_secrets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for scheme in ("http", "https"):
            monkeypatch.setenv(f"{scheme}_proxy", f"http://{USER}:{TOKEN}@127.0.0.1:1")
            registry = HttpRegistry(f"{scheme}://registry.invalid")
            through = r"does not answer through the proxy at http://127\.0\.0\.1:1 \("
            with pytest.raises(RegistryError, match=through) as error:
                registry.schema_of(1)
            assert_no_secret(whole_text(error.value))
            monkeypatch.setenv(f"{scheme}_proxy", f"socks5://{USER}:{TOKEN}@127.0.0.1:1")
            with pytest.raises(RegistryError, match=f"proxy that {scheme}_proxy names") as error:
                HttpRegistry(f"{scheme}://registry.invalid")
            assert_no_secret(whole_text(error.value))

    def test_hosts_can_be_left_out(
        self, service: RegistryService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with pytest.raises(UnknownSchemaError):
            HttpRegistry(service.url).schema_of(1)


REFERENCES = {
    "lineage.Party": {"name": "lineage.Party", "subject": "a party/1", "version": 3},
    "lineage.Tier": {"name": "lineage.Tier", "subject": "tier", "version": 1},
}


def apart(service: RegistryService, *, missing: bool = False) -> None:
    """Have the schema of MessageSent under id 7, its parties and tiers in subjects of their own."""
    whole = json.loads(codec.MESSAGE_SENT.schema)
    (parties,) = (field for field in whole["fields"] if field["name"] == "parties")
    party = {**parties["type"]["items"], "name": "Party", "namespace": "lineage"}
    (tier,) = (field for field in party["fields"] if field["name"] == "tier")
    enum = {**tier["type"], "name": "Tier", "namespace": "lineage"}
    parties["type"]["items"], tier["type"] = "lineage.Party", "lineage.Tier"
    for path, schema, references in (
        ("/schemas/ids/7", whole, ["lineage.Party"]),
        ("/subjects/a%20party%2F1/versions/3", party, ["lineage.Tier"]),
        ("/subjects/tier/versions/1", enum, []),
    ):
        body = {
            "schema": json.dumps(schema),
            "references": [REFERENCES[name] for name in references],
        }
        service.answers[path] = (200, {}, json.dumps(body).encode())
    if missing:
        service.answers["/subjects/tier/versions/1"] = (404, {}, b"{}")


def test_a_schema_that_refers_to_others_is_read_whole() -> None:
    message = next(event for event in GOOD if event["event"] == "MessageSent")
    value = (7).to_bytes(5, "big") + Encoder(LocalIds()).encode(message)[5:]
    with RegistryService() as service:
        apart(service)
        batch = Decoder(HttpRegistry(service.url)).decode(
            codec.MESSAGE_SENT.topic, 0, range(3), [value] * 3
        )
        assert service.asked == [
            "/schemas/ids/7",
            "/subjects/a%20party%2F1/versions/3",
            "/subjects/tier/versions/1",
        ]
    assert batch.dead_letters == ()
    wanted = Decoder(LocalIds()).decode(
        codec.MESSAGE_SENT.topic, 0, range(3), [Encoder(LocalIds()).encode(message)] * 3
    )
    assert content(batch) == content(wanted)


def test_references_that_are_missing_or_endless_are_a_reason() -> None:
    with RegistryService() as service:
        apart(service, missing=True)
        with pytest.raises(UnknownSchemaError, match="schema id 7 refers to version 1 of another"):
            HttpRegistry(service.url).schema_of(7)
        apart(service)
        few = replace(KAFKA_LIMITS, references_max=1)
        with pytest.raises(UnknownSchemaError, match="refers to more than 1 other schemas"):
            HttpRegistry(service.url, limits=few).schema_of(7)
        circle = {"schema": "{}", "references": [REFERENCES["lineage.Tier"]]}
        service.answers["/subjects/tier/versions/1"] = (200, {}, json.dumps(circle).encode())
        with pytest.raises(UnreadableSchemaError, match="is not an Avro schema"):
            Reader(codec.MESSAGE_SENT, HttpRegistry(service.url).schema_of(7))
