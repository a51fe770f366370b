"""Topics from which Kafka deletes: it is said, by `doctor` too, and what is lost is noted."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from faust.types import TP
from kafka import KafkaProducer, TopicPartition
from kafka.admin import ConfigResource

import lineage
from streams.broker import LocalBroker
from streams.kafka.admin import admin_client
from streams.kafka.publish import publish
from streams.kafka.records import Records
from streams.kafka.topics.topics import create_topics
from streams.worker.pipeline.gaps import CompactionGaps
from tests.streams.cli.runner import run
from tests.streams.kafka_helpers import PARTITIONS, read_all
from tests.streams.workers import RunningWorker, Worker

TOPIC = "messaging.message.sent.v1"
HOPS = "lineage.records.moved.v1"


def records(*offsets: int) -> Records:
    return Records(TOPIC, 0, list(offsets), [b""] * len(offsets))


class TestGaps:
    @pytest.fixture
    def gaps(self) -> CompactionGaps:
        gaps = CompactionGaps([TOPIC])
        gaps.start({TP(TOPIC, 0): 3})
        return gaps

    def test_none(self, gaps: CompactionGaps) -> None:
        assert gaps.letter(records(3, 4)) is None
        assert gaps.letter(records(5)) is None

    @pytest.mark.parametrize(
        ("offsets", "first", "said"),
        [
            ((5, 6), 3, "2 of the offsets 3 to 6"),
            ((3, 6), 4, "2 of the offsets 3 to 6"),
            ((3, 5, 7, 8), 4, "2 of the offsets 3 to 8"),
        ],
    )
    def test_before_and_among_what_comes(
        self, gaps: CompactionGaps, offsets: tuple[int, ...], first: int, said: str
    ) -> None:
        letter = gaps.letter(records(*offsets))
        assert letter is not None
        assert letter.position == first
        assert letter.reason.startswith(said.replace(" 3 to", f" {first} to"))
        assert gaps.letter(records(offsets[-1] + 1)) is None

    def test_between_two_lists(self, gaps: CompactionGaps) -> None:
        assert gaps.letter(records(3)) is None
        assert gaps.letter(records(9)) is not None

    def test_what_comes_again_is_no_gap(self, gaps: CompactionGaps) -> None:
        gaps.letter(records(3, 4, 5))
        assert gaps.letter(records(4, 5, 6)) is None

    def test_elsewhere_they_are_marks_of_transactions(self) -> None:
        assert CompactionGaps([HOPS]).letter(records(3, 9)) is None


@pytest.mark.kafka
def test_a_topic_that_is_compacted_or_forgets_is_said(worker: Worker) -> None:
    with admin_client(worker.bootstrap) as admin:
        forgets = {"retention.ms": "604800000", "retention.bytes": "1000000"}
        admin.alter_configs(
            [
                ConfigResource("topic", TOPIC, {"cleanup.policy": "compact"}),
                ConfigResource("topic", HOPS, forgets),
            ]
        )
    said = [
        f"the topic {TOPIC} has cleanup.policy=compact, by which Kafka deletes evidence; set "
        "cleanup.policy=delete",
        f"the topic {HOPS} has retention.ms=604800000, retention.bytes=1000000, by which Kafka "
        "deletes evidence; set retention.ms=-1, retention.bytes=-1",
    ]
    process = worker.start(once="once")
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert [line.removeprefix("WARNING ") for line in told.splitlines()] == said
    rows = {
        row["found"]: row for row in run("doctor", "--bootstrap", worker.bootstrap, "--json").rows
    }
    assert [rows[topic]["problem"] for topic in (TOPIC, HOPS)] == said
    assert {rows[topic]["status"] for topic in (TOPIC, HOPS)} == {"WARNING"}


def lost(worker: Worker) -> list[tuple[str, int, int, str]]:
    """The dead letters about records that are gone."""
    with lineage.open(worker.db, read_only=True) as store:
        return store.sql(
            "SELECT source, partition, position, reason FROM dead_letter "
            "WHERE contains(reason, ' offsets ') OR starts_with(reason, 'offsets ')"
        ).fetchall()


@pytest.mark.kafka
def test_what_retention_takes_from_a_worker_that_rests(worker: Worker, log: Path) -> None:
    running = worker.command()
    running.until("Worker ready")
    running.process.send_signal(signal.SIGSTOP)
    publish([log], worker.bootstrap, PARTITIONS)
    with admin_client(worker.bootstrap) as admin:
        admin.delete_records({TopicPartition(TOPIC, 2): 10})
    running.process.send_signal(signal.SIGCONT)
    said = running.ended(45)
    assert said.startswith("Error: Kafka has no record at the offset to be read next")
    worker.drain(quiet=False)
    (letter,) = lost(worker)
    assert letter[:3] == (TOPIC, 2, 0)
    assert letter[3].startswith("offsets 0 to 9 were deleted")


@pytest.mark.kafka
def test_what_compaction_took_is_said_and_noted(
    tmp_path: Path, local_broker_possible: None
) -> None:
    with LocalBroker(tmp_path / "kafka", properties="log.cleaner.backoff.ms=100\n") as broker:
        create_topics(broker.bootstrap, 1)
        with admin_client(broker.bootstrap) as admin:
            compact = {
                "cleanup.policy": "compact",
                "segment.ms": "100",
                "min.cleanable.dirty.ratio": "0.001",
            }
            admin.alter_configs([ConfigResource("topic", TOPIC, compact)])
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
        deadline = time.monotonic() + 60
        sent = 0
        while sent < 4 or len(read_all(broker.bootstrap, TOPIC)) == sent:
            assert time.monotonic() < deadline
            producer.send(TOPIC, key=b"the same", value=b"no event")
            producer.flush()
            sent += 1
            time.sleep(0.2)
        producer.close()
        worker = Worker(tmp_path / "live.duckdb", broker.bootstrap, "compacted")
        running = RunningWorker(worker.start(once="once"))
        assert running.process.wait(60) == 0, running.lines
        assert any("EVIDENCE LOST" in line for line in running.lines)
        (letter,) = lost(worker)
    assert letter[:2] == (TOPIC, 0)
    assert "compaction took them before they were read" in letter[3]
