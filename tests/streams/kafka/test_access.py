"""A broker that asks for passwords and certificates: every client gets in, or says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaProducer

from streams.errors import AccessError
from streams.kafka.access import refusal
from streams.kafka.admin import admin_client
from streams.kafka.connection import KafkaConnection, SaslLogin, TlsFiles
from streams.kafka.limits import KAFKA_LIMITS
from tests.streams.kafka_helpers import read_all
from tests.streams.secured_kafka import (
    KEY_PASSWORD,
    PASSWORD,
    SECRETS,
    USER,
    SecuredKafka,
    allow,
)
from tests.streams.secured_kafka import secured_kafka as run_secured_kafka
from tests.streams.workers import digest

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
LINEAGE = [sys.executable, "-m", "streams.cli"]
SECONDS_MAX = 12.0
# A broker that hangs up without a word may be starting, so it is tried again for so long.
LIMITS = replace(KAFKA_LIMITS, connect_seconds_max=3.0)

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def kafka(
    tmp_path_factory: pytest.TempPathFactory, local_broker_possible: None
) -> Iterator[SecuredKafka]:
    with run_secured_kafka(tmp_path_factory.mktemp("secured")) as secured:
        yield secured


def connections(kafka: SecuredKafka) -> dict[str, KafkaConnection]:
    """One for each way in."""
    ca, user = TlsFiles(kafka.file("ca.pem")), SaslLogin("PLAIN", USER, PASSWORD)
    encrypted_key = kafka.file("client-encrypted.key"), KEY_PASSWORD
    certified = replace(ca, certificate=kafka.file("client.crt"))
    return {
        "open": KafkaConnection(kafka.open),
        "tls": KafkaConnection(
            kafka.tls, tls=replace(certified, key=encrypted_key[0], key_password=encrypted_key[1])
        ),
        "clear": KafkaConnection(kafka.clear, user),
        "login": KafkaConnection(kafka.login, user, ca),
    }


@pytest.mark.parametrize("way", ["open", "tls", "clear", "login"])
def test_all_that_is_asked_for_is_let_in(kafka: SecuredKafka, way: str) -> None:
    assert refusal(connections(kafka)[way]) is None


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("way", ["clear", "login"])
def test_every_mechanism_and_its_wrong_password(
    kafka: SecuredKafka, mechanism: str, way: str
) -> None:
    connection = connections(kafka)[way]
    with admin_client(replace(connection, login=SaslLogin(mechanism, USER, PASSWORD))) as admin:
        admin.list_topics()
    wrong = replace(connection, login=SaslLogin(mechanism, USER, "wrong"))
    with pytest.raises(AccessError, match="the user or password is not accepted"):
        admin_client(wrong).__enter__()


@pytest.mark.parametrize(
    ("ca", "certificate", "said"),
    [
        ("ca.pem", None, "it asks for a client certificate"),
        ("ca.pem", "expired.pem", "it has expired, or is of an authority that the broker does not"),
        ("ca.pem", "other.pem", "it has expired, or is of an authority that the broker does not"),
        ("other-ca.pem", "client.pem", "its certificate is of no authority in .*other-ca.pem"),
        (None, "client.pem", "its certificate is of no authority in the list of this system"),
    ],
)
def test_certificates_that_will_not_do(
    kafka: SecuredKafka, ca: str | None, certificate: str | None, said: str
) -> None:
    files = TlsFiles(ca and kafka.file(ca), certificate and kafka.file(certificate))
    started = time.monotonic()
    with pytest.raises(AccessError, match=said):
        admin_client(KafkaConnection(kafka.tls, tls=files)).__enter__()
    assert time.monotonic() - started < SECONDS_MAX


def test_a_certificate_of_another_host(kafka: SecuredKafka) -> None:
    elsewhere = replace(
        connections(kafka)["tls"], bootstrap=kafka.tls.replace("127.0.0.1", "localhost")
    )
    refused = refusal(elsewhere)
    assert refused is not None
    assert "its certificate is of another host" in refused.why
    assert elsewhere.tls is not None
    assert refusal(replace(elsewhere, tls=replace(elsewhere.tls, check_hostname=False))) is None


@pytest.mark.parametrize(
    ("way", "at", "said"),
    [
        ("open", "tls", "its port speaks TLS; set security.protocol to SSL"),
        ("clear", "login", "its port speaks TLS"),
        ("open", "clear", "set security.protocol to SASL_PLAINTEXT"),
        ("tls", "open", "it hung up on TLS; where its port speaks none"),
        ("tls", "login", "it hung up; .* set security.protocol to SASL_SSL"),
        ("clear", "open", "it asks for no password"),
    ],
)
def test_another_protocol_than_the_port_s(
    kafka: SecuredKafka, way: str, at: str, said: str
) -> None:
    connection = replace(connections(kafka)[way], bootstrap=getattr(kafka, at))
    started = time.monotonic()
    with pytest.raises(AccessError, match=said):
        admin_client(connection, LIMITS).__enter__()
    assert time.monotonic() - started < SECONDS_MAX


def settings(kafka: SecuredKafka, way: str) -> dict[str, str]:
    """Those of a way in, by Kafka's names."""
    if way == "tls":
        return {
            "bootstrap.servers": kafka.tls,
            "security.protocol": "SSL",
            "ssl.ca.location": kafka.file("ca.pem"),
            "ssl.certificate.location": kafka.file("client.crt"),
            "ssl.key.location": kafka.file("client-encrypted.key"),
            "ssl.key.password": KEY_PASSWORD,
        }
    return {
        "bootstrap.servers": kafka.login,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": USER,
        "sasl.password": PASSWORD,
        "ssl.ca.location": kafka.file("ca.pem"),
        "request.timeout.ms": "29000",
    }


def given(kafka: SecuredKafka, way: str, how: str, folder: Path) -> dict[str, str]:
    """The environment that names them, in variables or a file, and nothing else."""
    found = settings(kafka, way)
    inherited = {name: value for name, value in os.environ.items() if "LINEAGE" not in name}
    if how == "environment":
        named = {f"LINEAGE_KAFKA_{k.upper().replace('.', '_')}": v for k, v in found.items()}
        return {**inherited, **named}
    escaped = {name: value.replace("\\", "\\\\") for name, value in found.items()}
    file = folder / "client.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in escaped.items()))
    return {**inherited, "LINEAGE_KAFKA_CONFIG": str(file)}


def run(env: dict[str, str], *command: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*LINEAGE, *map(str, command)], env=env, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS)
    return done


@pytest.mark.parametrize(("way", "how"), [("login", "file"), ("tls", "environment")])
def test_every_command_gets_in_and_shows_no_secret(
    kafka: SecuredKafka, log: Path, replayed: Path, tmp_path: Path, way: str, how: str
) -> None:
    """Through a prefix of its own, so that each of the two has topics of its own.

    The user may do what docs/kafka.md says that it needs.
    """
    operations = ("READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS")
    allow(kafka.open, "TOPIC", "login-", *operations)
    allow(kafka.open, "GROUP", "login", "READ")
    env = {**given(kafka, way, how, tmp_path), "LINEAGE_TOPIC_PREFIX": f"{way}-"}
    (tmp_path / "bad.jsonl").write_text('{"event": "Nonsense"}\n')
    sent = run(env, "publish", log, tmp_path / "bad.jsonl", "--replication-factor", 1, "--json")
    assert sent.returncode == 0, sent.stderr
    events = json.loads(sent.stdout)["events"]
    assert all(topic.startswith(f"{way}-") for topic in events)
    topic = min(events)
    with closing(KafkaProducer(bootstrap_servers=kafka.open)) as producer:
        producer.send(topic, b"no event").get(30)
    db = tmp_path / "live.duckdb"
    done = run(env, "worker", "--once", "--db", db, "--group", way, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["records"] == sum(events.values()) + 1
    assert digest(db) == digest(replayed)
    assert read_all(kafka.open, f"{way}-lineage.flag.raised.v1")
    assert len(read_all(kafka.open, f"{way}-lineage.dead-letter.v1")) == 2
    listed = run(env, "dlq", "list", "--source", topic, "--json")
    (letter,) = map(json.loads, listed.stdout.splitlines())
    assert (letter["source"], letter["letters"]) == (topic, 1)
    back = run(env, "dlq", "replay", "--source", topic, "--json")
    assert (back.returncode, json.loads(back.stdout)["still_dead"]) == (0, 1), back.stderr
    told = run(env, "doctor")
    assert told.returncode == 0, told.stdout
    assert "8 of 8 topics" in told.stdout


@pytest.mark.parametrize("command", ["publish", "worker", "doctor"])
def test_a_wrong_password_is_a_sentence_within_seconds(
    kafka: SecuredKafka, log: Path, tmp_path: Path, command: str
) -> None:
    env = given(kafka, "login", "environment", tmp_path)
    arguments: dict[str, list[object]] = {
        "publish": [log],
        "worker": ["--db", tmp_path / "new.duckdb"],
        "doctor": [],
    }
    started = time.monotonic()
    done = run({**env, "LINEAGE_KAFKA_SASL_PASSWORD": "wrong"}, command, *arguments[command])
    assert time.monotonic() - started < SECONDS_MAX
    assert done.returncode == 3
    told = " ".join((done.stdout if command == "doctor" else done.stderr.splitlines()[-1]).split())
    assert "does not let this client in: the user or password is not accepted" in told
    assert not (tmp_path / "new.duckdb").exists()
