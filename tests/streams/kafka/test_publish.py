"""Publishing a log: every event acknowledged, in order, and nothing dropped in silence."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from lineage.codec import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    INPUTS,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    RUN_REPORTED,
    Decoder,
    LocalIds,
    LogError,
    Registry,
    RegistryError,
)
from streams.errors import BrokerUnavailableError
from streams.kafka.publish import publish
from streams.kafka.registry.client import HttpRegistry
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, TOPICS, topic_partitions
from tests.registry_service import RegistryService
from tests.streams.kafka_helpers import read_all

MESSAGES = 300
TABLES = {
    MESSAGE_SENT: "messages",
    RECORDS_MOVED: "hops",
    CONSENT_CHANGED: "consent_changes",
    DATASET_DECLARED: "declarations",
    POLICY_PUBLISHED: "policies",
    RUN_REPORTED: "run_reports",
}


def party(role: str, member: str) -> dict[str, object]:
    return {
        "role": role,
        "member_id": member,
        "tier": "FREE",
        "region": "US",
        "ai_training_consent": False,
        "third_party_consent": False,
    }


def events() -> list[dict[str, Any]]:
    """Messages, each with a hop, and some of every other type."""
    instant = "2024-09-18T00:00:00Z"
    made: list[dict[str, Any]] = []
    for n in range(MESSAGES):
        made.append({
            "event": "MessageSent", "message_id": f"m{n}", "channel": "DIRECT",
            "parties": [party("SENDER", "a"), party("RECIPIENT", "b")],
            "dataset": "inbox", "sent_at": instant,
        })  # fmt: skip
        made.append({
            "event": "RecordsMoved", "hop_id": f"h{n}", "run_id": "r", "job": "j",
            "operation": "COPY", "source": "inbox", "target": "lake", "inputs": [f"m{n}"],
            "outputs": [], "declassification": None, "moved_at": instant,
        })  # fmt: skip
        made.append({
            "event": "ConsentChanged", "change_id": f"c{n}", "member_id": f"u{n % 7}",
            "purpose": "AI_TRAINING", "granted": n % 2 == 0, "basis": "MEMBER",
            "effective_at": instant,
        })  # fmt: skip
    made.append({
        "event": "DatasetDeclared", "declaration_id": "d", "dataset": "lake", "kind": "TABLE",
        "party": "FIRST", "recipient": None, "declared_at": instant,
    })  # fmt: skip
    made.append({
        "event": "PolicyPublished", "policy_id": "p", "effective_at": instant,
        "disclosed_at": None, "document": "{}",
    })  # fmt: skip
    made.append({
        "event": "RunReported", "report_id": "o", "run_id": "r", "job": "j", "state": "COMPLETE",
        "hops": MESSAGES, "records": MESSAGES, "reported_at": instant,
    })  # fmt: skip
    return made


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events()))
    return path


def decoded(
    bootstrap: str, topic: str, table: str, registry: Registry | None = None
) -> tuple[list[Any], list[dict[str, Any]]]:
    records = read_all(bootstrap, topic)
    offsets, values = range(len(records)), [record.value for record in records]
    batch = Decoder(registry or LocalIds()).decode(topic, 0, offsets, values)
    assert batch.dead_letters == ()
    return records, getattr(batch, table).to_dicts()


@pytest.mark.kafka
class TestOnRealKafka:
    def test_every_event_arrives_in_wire_format_in_its_topic(
        self, no_topics: str, log: Path
    ) -> None:
        sent = publish([log], no_topics, 3)
        assert sent.events == {
            MESSAGE_SENT.topic: MESSAGES,
            RECORDS_MOVED.topic: MESSAGES,
            CONSENT_CHANGED.topic: MESSAGES,
            DATASET_DECLARED.topic: 1,
            POLICY_PUBLISHED.topic: 1,
            RUN_REPORTED.topic: 1,
        }
        assert sent.dead_letters == 0
        assert sent.notes == ()
        assert topic_partitions(no_topics, TOPICS) == dict.fromkeys(TOPICS, 3)
        _, messages = decoded(no_topics, MESSAGE_SENT.topic, "messages")
        assert {row["message_id"] for row in messages} == {f"m{n}" for n in range(MESSAGES)}
        _, hops = decoded(no_topics, RECORDS_MOVED.topic, "hops")
        assert len(hops) == MESSAGES

    def test_what_concerns_one_member_stays_in_order_and_in_one_partition(
        self, no_topics: str, log: Path
    ) -> None:
        publish([log], no_topics, 3)
        records, changes = decoded(no_topics, CONSENT_CHANGED.topic, "consent_changes")
        assert len({record.partition for record in records}) > 1
        seen: defaultdict[str, list[int]] = defaultdict(list)
        partitions: defaultdict[str, set[int]] = defaultdict(set)
        for record, change in zip(records, changes, strict=True):
            seen[change["member_id"]].append(int(change["change_id"][1:]))
            partitions[change["member_id"]].add(record.partition)
        assert all(len(one) == 1 for one in partitions.values())
        assert all(numbers == sorted(numbers) for numbers in seen.values())

    def test_records_carry_the_present_and_not_the_time_of_the_event(
        self, no_topics: str, log: Path
    ) -> None:
        publish([log], no_topics)
        for event in INPUTS:
            for record in read_all(no_topics, event.topic):
                assert abs(record.timestamp / 1000 - time.time()) < 600

    def test_progress_adds_up_to_everything(self, no_topics: str, log: Path) -> None:
        told: list[int] = []
        sent = publish([log], no_topics, progress=told.append)
        assert sum(told) == sum(sent.events.values())

    def test_what_breaks_the_contract_is_a_dead_letter_with_its_bytes(
        self, no_topics: str, log: Path
    ) -> None:
        bad = [b'{"event": "MessageSent", "text": "my dear friend"}', b"not json"]
        with log.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in bad))
        sent = publish([log], no_topics)
        assert sent.dead_letters == 2
        assert sum(sent.events.values()) == len(events())
        found = read_all(no_topics, DEAD_LETTER_TOPIC)
        assert sorted(record.value for record in found) == sorted(bad)
        for record in found:
            tags = {name: value.decode() for name, value in record.headers}
            assert tags["source"] == str(log)
            assert int(tags["position"]) == len(events()) + 1 + bad.index(record.value)
            assert tags["sha256"] == hashlib.sha256(record.value).hexdigest()
            assert tags["reason"]
            assert "dear" not in tags["reason"]

    def test_another_count_of_partitions_than_asked_for_is_said(
        self, topics: str, log: Path
    ) -> None:
        sent = publish([log], topics, 9)
        assert len(sent.notes) == len(TOPICS)
        assert all("4 partitions, not 9" in note for note in sent.notes)

    def test_a_hop_larger_than_kafkas_default_goes_through(
        self, no_topics: str, tmp_path: Path
    ) -> None:
        hop = {**events()[1], "inputs": [f"{n:0200d}" for n in range(10_000)]}
        path = tmp_path / "large.jsonl"
        path.write_text(json.dumps(hop) + "\n")
        assert publish([path], no_topics).events == {RECORDS_MOVED.topic: 1}
        [record] = read_all(no_topics, RECORDS_MOVED.topic)
        assert len(record.value) > 2_000_000

    def test_a_path_that_is_wrong_is_said_before_a_topic_is_made(
        self, no_topics: str, tmp_path: Path
    ) -> None:
        with pytest.raises(LogError):
            publish([tmp_path / "no-such-log"], no_topics)
        assert topic_partitions(no_topics, TOPICS) == {}

    def test_values_carry_the_ids_of_the_registry(self, no_topics: str, log: Path) -> None:
        with RegistryService(first_id=1000) as service:
            sent = publish([log], no_topics, registry_url=service.url)
            assert sum(sent.events.values()) == len(events())
            assert sent.dead_letters == 0
            assert service.subjects.keys() == {event.subject for event in INPUTS}
            registry = HttpRegistry(service.url)
            for event, table in TABLES.items():
                records, rows = decoded(no_topics, event.topic, table, registry)
                [schema_id] = service.subjects[event.subject]
                assert {record.value[1:5] for record in records} == {schema_id.to_bytes(4, "big")}
                assert len(rows) == sent.events[event.topic]
            # Each schema is registered once, and asked for once.
            assert len(service.requests) == 2 * len(INPUTS)

    @pytest.mark.parametrize("status", [404, 409, 500])
    def test_a_registry_that_fails_is_said_before_a_topic_is_made(
        self, no_topics: str, log: Path, status: int
    ) -> None:
        with RegistryService() as service:
            # The last one that it is asked to register.
            service.answers[f"/subjects/{INPUTS[-1].subject}/versions"] = status, {}, b"{}"
            with pytest.raises(RegistryError, match=rf"{service.url}/subjects/.* {status} "):
                publish([log], no_topics, registry_url=service.url)
        with pytest.raises(RegistryError, match=f"{service.url} does not answer"):
            publish([log], no_topics, registry_url=service.url)
        assert topic_partitions(no_topics, TOPICS) == {}


@pytest.mark.slow
def test_a_broker_that_is_away_is_said(log: Path) -> None:
    with pytest.raises(BrokerUnavailableError):
        publish([log], "127.0.0.1:1")
