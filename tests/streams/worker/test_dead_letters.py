"""Dead letters on a real Kafka: what they keep, and what their replay does after a fix."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

import lineage
from lineage.codec import (
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    DeadLetter,
    Encoder,
    LocalIds,
)
from streams.kafka.dead_letters.records import record
from streams.kafka.publish import publish
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC
from tests.lineage.events.builders import at, hop, message, policy
from tests.registry_service import RegistryService
from tests.streams.cli.runner import run, write_log
from tests.streams.kafka_helpers import read_all
from tests.streams.workers import Worker, digest

pytestmark = pytest.mark.kafka

ENCODER = Encoder(LocalIds())
TOPIC = MESSAGE_SENT.topic
EVENTS = [message(f"m{n}") for n in range(40)] + [
    hop("h1", "inbox", "raw", [f"m{n}" for n in range(40)], moved_at=at(1))
]


@dataclass(frozen=True)
class Sent:
    """A record that a test sends to a partition."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    partition: int = 1
    topic: str = TOPIC


def send(bootstrap: str, *records: Sent) -> list[int]:
    """Send them one after the other; the time that Kafka has for each."""

    async def sent() -> list[int]:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            return [
                (
                    await producer.send_and_wait(
                        one.topic,
                        one.value,
                        one.key,
                        one.partition,
                        headers=one.headers,
                    )
                ).timestamp
                for one in records
            ]

    return asyncio.run(sent())


def drained(worker: Worker, registry_url: str | None = None) -> None:
    """Run `lineage worker --once` with a registry, or with the ids that come with the program."""
    env = {**os.environ, "LINEAGE_REGISTRY_URL": registry_url or ""}
    command = [sys.executable, "-m", "streams.cli", "worker", "--db", str(worker.db), "--once"]
    ended = subprocess.run(
        [*command, "--bootstrap", worker.bootstrap, "--group", worker.group],
        capture_output=True, text=True, timeout=120, check=False, env=env,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def replayed(worker: Worker, *options: str) -> dict[str, Any]:
    """Run `lineage dlq replay`; its summary."""
    ran = run("dlq", "replay", "--bootstrap", worker.bootstrap, "--json", *options)
    assert ran.code == 0, ran.err
    (summary,) = ran.rows
    return summary


def listed(worker: Worker, *options: str) -> list[tuple[str, int, int]]:
    """Run `lineage dlq list`; reason, letters, and how many of them were replayed."""
    ran = run("dlq", "list", "--bootstrap", worker.bootstrap, "--json", *options)
    assert ran.code == 0, ran.err
    return [(row["reason"], row["letters"], row["replayed"]) for row in ran.rows]


@pytest.fixture
def without_fault(tmp_path: Path) -> str:
    """The digest of the events, recorded without any fault."""
    db = tmp_path / "without-fault.duckdb"
    with lineage.open(db) as store:
        store.apply(EVENTS)
    return digest(db)


@pytest.fixture
def registry() -> Iterator[RegistryService]:
    """A registry whose ids are not those that come with the program."""
    with RegistryService(first_id=5_000) as service:
        yield service


def test_a_dead_letter_has_the_original_record_whole(worker: Worker) -> None:
    sent = [
        Sent(b"bad", b"\x00\xffkey", [("trace", b"\x80"), ("trace", b"2"), ("reason", b"mine")]),
        Sent(None, b"k", [("key", None)]),
        Sent(b"\x00\x00", None, []),
        Sent(ENCODER.encode({**policy("p"), "document": "rules: no"}), b"p", [("by", b"x")],
             topic=POLICY_PUBLISHED.topic),
    ]  # fmt: skip
    times = send(worker.bootstrap, *sent)
    worker.drain(quiet=False)
    letters = {
        (tags["source"], int(tags["position"])): (record, tags) for record, tags in told(worker)
    }
    places = [(TOPIC, 0), (TOPIC, 1), (TOPIC, 2), (POLICY_PUBLISHED.topic, 0)]
    assert set(letters) == set(places)
    for place, one, timestamp in zip(places, sent, times, strict=True):
        found, tags = letters[place]
        assert found.key == f"{place[0]}/1/{place[1]}".encode()
        assert found.value == one.value
        assert tags.get("key") == one.key
        assert tags["timestamp"] == str(timestamp).encode()
        theirs = [pair for pair in found.headers if pair[0].startswith("original.")]
        assert theirs == [(f"original.{name}", value) for name, value in one.headers]
        assert not tags["reason"].startswith(b"mine")


def told(worker: Worker) -> Iterator[tuple[Any, dict[str, Any]]]:
    for found in read_all(worker.bootstrap, DEAD_LETTER_TOPIC):
        tags = dict(found.headers)
        yield found, {**tags, "source": tags["source"].decode()}


def test_a_schema_that_is_registered_later_cures_its_dead_letters(
    worker: Worker, registry: RegistryService, without_fault: str
) -> None:
    *of_messages, of_hop = (
        id_.to_bytes(5, "big") + ENCODER.encode(event)[5:]
        for id_, event in zip([5_123] * 40 + [5_124], EVENTS, strict=True)
    )
    send(
        worker.bootstrap,
        *(Sent(v, b"k%d" % n, [("n", b"%d" % n)], n % 4) for n, v in enumerate(of_messages)),
        Sent(of_hop, topic=RECORDS_MOVED.topic),
        Sent(b"never an event"),
    )
    drained(worker, registry.url)
    assert digest(worker.db) != without_fault
    assert listed(worker, "--reason", "schema id N") == [
        ("schema id 5123 is not registered", 40, 0),
        ("schema id 5124 is not registered", 1, 0),
    ]
    before = read_all(worker.bootstrap, TOPIC)

    url = ("--registry-url", registry.url)
    assert replayed(worker, *url)["sent"] == 0
    registry.schemas[5_123] = MESSAGE_SENT.schema
    dry = replayed(worker, *url, "--dry-run")
    assert (dry["sent"], dry["still_dead"], dry["dry_run"]) == (40, 2, True)
    assert read_all(worker.bootstrap, TOPIC) == before
    first = replayed(worker, *url)
    assert (first["sent"], first["still_dead"], first["replayed_before"]) == (40, 2, 0)

    again = read_all(worker.bootstrap, TOPIC)
    ours = [one for one in before if one.value != b"never an event"]
    assert sorted(map(whole, again)) == sorted(map(whole, [*before, *ours]))
    registry.schemas[5_124] = RECORDS_MOVED.schema
    second = replayed(worker, *url)
    assert (second["sent"], second["still_dead"], second["replayed_before"]) == (1, 1, 40)
    drained(worker, registry.url)
    assert digest(worker.db) == without_fault
    assert sorted(listed(worker)) == [
        ("schema id 5123 is not registered", 40, 40),
        ("schema id 5124 is not registered", 1, 1),
        ("the value must begin with byte 0 and a schema id of 4 bytes", 1, 0),
    ]
    # The history stays.
    with lineage.open(worker.db, read_only=True) as store:
        assert store.sql("SELECT count(*) FROM dead_letter").fetchone() == (42,)

    third = replayed(worker, *url)
    assert (third["sent"], third["replayed_before"]) == (0, 41)
    assert len(read_all(worker.bootstrap, TOPIC)) == len(again)


def whole(found: Any) -> tuple[Any, ...]:  # noqa: ANN401 - of the client's own type
    return found.partition, found.value, found.key, found.headers


def test_a_worker_with_the_wrong_registry_is_cured_by_a_replay(
    worker: Worker, registry: RegistryService, tmp_path: Path, without_fault: str
) -> None:
    publish([write_log(tmp_path / "log.jsonl", EVENTS)], worker.bootstrap, 2,
            registry_url=registry.url)  # fmt: skip
    drained(worker)  # with ids that are not those of the registry
    with lineage.open(worker.db, read_only=True) as store:
        assert store.sql("SELECT count(*) FROM dead_letter").fetchone() == (len(EVENTS),)
        assert store.sql("SELECT count(*) FROM message").fetchone() == (0,)

    assert replayed(worker, "--registry-url", registry.url)["sent"] == len(EVENTS)
    drained(worker, registry.url)
    assert digest(worker.db) == without_fault


def test_letters_that_come_again_are_one_and_stay_replayed(topics: str) -> None:
    """A worker that was killed sends its dead letters again, at times after a replay."""
    letter = record(DeadLetter.of(TOPIC, 3, 7, "was wrong", ENCODER.encode(message("m"))))
    other = record(DeadLetter.of(TOPIC, 3, 7, "was wrong", ENCODER.encode(message("of old"))))
    for sent, counted in (([letter, letter, other], 2), ([letter, other], 0)):
        send(topics, *(Sent(r.value, r.key, r.headers, 0, DEAD_LETTER_TOPIC) for r in sent))
        (summary,) = run("dlq", "replay", "--bootstrap", topics, "--json").rows
        assert (summary["sent"], summary["replayed_before"]) == (counted, 2 - counted)
    (row,) = run("dlq", "list", "--bootstrap", topics, "--json").rows
    assert row == {"source": TOPIC, "reason": "was wrong", "letters": 2, "replayed": 2}
    values = [one.value for one in read_all(topics, TOPIC)]
    assert set(values) == {letter.value, other.value}
    assert len(values) == 2
    each = run("dlq", "list", "--bootstrap", topics, "--each", "--json").rows
    assert sorted(row["replayed_to"] for row in each) == [f"{TOPIC}/3/0", f"{TOPIC}/3/1"]


def test_only_what_is_selected_is_sent_and_a_log_is_not(worker: Worker, tmp_path: Path) -> None:
    bad = write_log(tmp_path / "bad.jsonl", [{"event": "Nonsense"}])
    publish([bad], worker.bootstrap, 2)
    header = (77).to_bytes(5, "big")
    send(worker.bootstrap, Sent(header + b"x"), Sent(None, b"k"), Sent(b"bad"))
    worker.drain(quiet=False)
    summary = replayed(worker)
    counts = ("sent", "of_files", "without_bytes", "still_dead")
    assert [summary[name] for name in counts] == [0, 1, 1, 2]
    assert summary["still_dead_by_reason"] == [
        {"reason": "schema id 77 is not registered", "letters": 1},
        {"reason": "the value must begin with byte 0 and a schema id of 4 bytes", "letters": 1},
    ]
    assert replayed(worker, "--reason", "SCHEMA ID 77")["still_dead"] == 1
    assert replayed(worker, "--source", str(bad))["of_files"] == 1
    assert len(listed(worker, "--source", TOPIC)) == 3
    for command in ("list", "replay"):
        ran = run("dlq", command, "--bootstrap", worker.bootstrap, "--source", "messaging.mesage")
        assert ran.code == 2
        assert "no dead letter is of this source and reason" in ran.err
        ran = run("dlq", command, "--bootstrap", worker.bootstrap, "--fail-on-dead-letter")
        assert ran.code == 1
    each = run("dlq", "list", "--bootstrap", worker.bootstrap, "--each", "--json").rows
    assert sorted((row["source"], row["position"]) for row in each) == sorted(
        [(str(bad), 1), (TOPIC, 0), (TOPIC, 1), (TOPIC, 2)]
    )


def test_a_cluster_without_the_topic_is_no_cluster_without_dead_letters(no_topics: str) -> None:
    for command in ("list", "replay"):
        ran = run("dlq", command, "--bootstrap", no_topics)
        assert (ran.code, ran.out) == (3, "")
        assert f"there is no topic {DEAD_LETTER_TOPIC} at {no_topics}" in ran.err
