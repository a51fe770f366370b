"""Jobs that report to a real Kafka by the SDK, and a real worker that records what they said."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import lineage
from streams.broker import LocalBroker
from streams.kafka.publish import publish
from streams.kafka.topics.topics import create_topics
from tests.sdk.jobs import finished, start
from tests.streams.kafka_helpers import PARTITIONS, read_all
from tests.streams.workers import Worker

pytestmark = pytest.mark.kafka

JOB = """
import sys, time
import lineage_sdk as sdk
first, count = int(sys.argv[1]), int(sys.argv[2])
tags = dict(ai_training_consent=True, third_party_consent=False)
parties = [
    sdk.message_party("SENDER", "ann", "RECRUITER", "US", **tags),
    sdk.message_party("RECIPIENT", "bob", "FREE", "DE", **tags),
]
if first == 0:
    sdk.emit(sdk.dataset_declared("inbox", "TOPIC"))
    sdk.emit(sdk.dataset_declared("vendor", "SINK", "THIRD", recipient="Acme"))
this = sdk.run().__enter__()
for n in range(first, first + count):
    message = sdk.message_sent("inbox", "INMAIL", parties, message_id=f"m-{n}")
    sdk.emit(message, strict=True)
    with sdk.hop("inbox", "vendor", "EXPORT") as h:
        h.keep(f"m-{n}")
this.__exit__(None, None, None)
print("reported", flush=True)
if "wait" in sys.argv:
    time.sleep(120)
if "flush" in sys.argv:
    assert sdk.flush(60), sdk.counters()
"""
TOPICS = ("messaging.message.sent.v1", "lineage.records.moved.v1", "lineage.dataset.declared.v1")


def settings(tmp_path: Path, bootstrap: str) -> dict[str, str]:
    spool = str(tmp_path / "spool")
    return {"LINEAGE_JOB": "j", "LINEAGE_EMIT": f"kafka://{bootstrap}", "LINEAGE_SPOOL": spool}


def recorded(db: Path) -> dict[str, int]:
    with lineage.open(db, read_only=True) as store:
        names = ("message", "hop", "arrival", "flag", "run_report", "conflict", "dead_letter")
        sql = ", ".join(f"(SELECT count(*) FROM {name})" for name in names)
        (row,) = store.sql(f"SELECT {sql}").fetchall()
    return dict(zip(names, row, strict=True))


def expected(messages: int, runs: int = 1) -> dict[str, int]:
    once = dict.fromkeys(("message", "hop", "flag"), messages)
    derived = {"arrival": 2 * messages, "run_report": 2 * runs}
    return {**once, **derived, "conflict": 0, "dead_letter": 0}


def test_what_a_job_reports_is_recorded(tmp_path: Path, topics: str, worker: Worker) -> None:
    finished(JOB, "0", "100", "flush", **settings(tmp_path, topics))
    worker.drain(quiet=False)
    assert recorded(worker.db) == expected(100)


def test_records_lie_where_publish_puts_them(tmp_path: Path, topics: str) -> None:
    log = tmp_path / "log"
    said = settings(tmp_path, topics)
    finished(JOB, "0", "100", "flush", **{**said, "LINEAGE_EMIT": f"file://{log}"})
    publish([log], topics)
    published = {topic: read_all(topics, topic) for topic in TOPICS}
    # The same events again, from the spool of a job that had not sent them.
    again = """
import json, pathlib, sys
import lineage_sdk as sdk
for path in pathlib.Path(sys.argv[1]).glob("*.jsonl"):
    for line in path.read_text().splitlines():
        sdk.emit(json.loads(line), strict=True)
assert sdk.flush(60)
"""
    finished(again, str(log), **said)
    for topic in TOPICS:
        places = [(one.partition, one.key, one.value) for one in read_all(topics, topic)]
        first = {(one.partition, one.key, one.value) for one in published[topic]}
        assert first
        assert len(places) == 2 * len(first)
        assert set(places) == first


def test_topics_with_a_prefix(tmp_path: Path, bootstrap: str) -> None:
    from streams.kafka.connection import KafkaConnection

    create_topics(KafkaConnection(bootstrap, topic_prefix="sdk-test."), PARTITIONS)
    said = settings(tmp_path, f"{bootstrap}?topic_prefix=sdk-test.")
    finished(JOB, "0", "5", "flush", **said)
    assert len(read_all(bootstrap, "sdk-test.lineage.records.moved.v1")) == 5


@pytest.mark.slow
def test_killed_while_the_broker_is_away_nothing_is_lost_or_doubled(
    tmp_path: Path, local_broker_possible: None
) -> None:
    broker = LocalBroker(tmp_path / "kafka")
    with broker:
        create_topics(broker.bootstrap, PARTITIONS)
    said = settings(tmp_path, broker.bootstrap)
    process = start(JOB, "0", "200", "wait", **said)
    assert process.stdout is not None
    assert process.stdout.readline() == "reported\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with broker:
        finished(JOB, "200", "10", "flush", **said)
        worker = Worker(tmp_path / "live.duckdb", broker.bootstrap, "sdk")
        worker.drain(quiet=False)
        assert recorded(worker.db) == expected(210, runs=2)
        assert worker.recorded() == 2 * 210 + 2 + 4


@pytest.mark.slow
def test_a_job_that_was_there_before_its_broker(
    tmp_path: Path, local_broker_possible: None
) -> None:
    broker = LocalBroker(tmp_path / "kafka")
    with broker:
        create_topics(broker.bootstrap, PARTITIONS)
    process = start(JOB, "0", "50", "flush", **settings(tmp_path, broker.bootstrap))
    assert process.stdout is not None
    assert process.stdout.readline() == "reported\n"
    with broker:
        _, said = process.communicate(timeout=90)
        assert process.returncode == 0, said
        assert len(said.splitlines()) <= 2  # what waits is said once, not at each attempt
        worker = Worker(tmp_path / "live.duckdb", broker.bootstrap, "sdk")
        worker.drain(quiet=False)
        assert recorded(worker.db) == expected(50)


def test_a_damaged_line_of_the_spool_does_not_stop_the_others(tmp_path: Path, topics: str) -> None:
    said = settings(tmp_path, topics)
    away = {**said, "LINEAGE_FLUSH_SECONDS": "0"}
    finished(
        JOB, "0", "5", **{**away, "LINEAGE_KAFKA_CLIENT_ID": "x", "LINEAGE_KAFKA_NO_SUCH": "1"}
    )
    (segment,) = (tmp_path / "spool").glob("*/*/*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    damaged = [b"\xff\n", b"5\n", b'{"event":"RecordsMoved"}\n', b'{"event":"New"}\n']
    segment.write_bytes(b"".join([*lines[:6], *damaged, *lines[6:]]))
    _, told = finished(JOB, "5", "1", "flush", **said)
    assert "an event was refused for good: a line of the spool is no event of this version" in told
    assert len(read_all(topics, "lineage.records.moved.v1")) == 6


FORKED = """
import os, sys
import lineage_sdk as sdk
def moved(n):
    with sdk.hop("inbox", "vendor") as h:
        h.keep(f"m-{n}")
moved(0)
assert sdk.flush(60)  # so that there is a producer, with threads that a child has not
child = os.fork()
if child == 0:
    moved(1)
    assert sdk.flush(60)
    sys.exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
moved(2)
assert sdk.flush(60)
"""


def test_a_forked_child_has_a_producer_of_its_own(tmp_path: Path, topics: str) -> None:
    finished(FORKED, **settings(tmp_path, topics))
    assert len(read_all(topics, "lineage.records.moved.v1")) == 3
