"""A broker that goes away while a worker runs is waited for, and the work goes on."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from streams.broker import LocalBroker
from streams.kafka.publish import publish
from streams.kafka.topics.topics import INPUT_TOPICS, create_topics
from streams.serve.address_file import announced
from tests.streams.kafka_helpers import PARTITIONS, flags_on_topic
from tests.streams.serve.serving import ask
from tests.streams.workers import RunningWorker, Worker, digest

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("local_broker_possible")]

# The worker under test would end after 4 s if it were told to (`workers.COMMAND`), and a request
# after 7.
AWAY_SECONDS = 9.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    with LocalBroker(tmp_path / "kafka") as running:
        yield running


@pytest.fixture
def worker(broker: LocalBroker, tmp_path: Path) -> Iterator[Worker]:
    workers = Worker(tmp_path / "live.duckdb", broker.bootstrap, "away")
    yield workers
    for process in workers.running:
        process.kill()
        process.communicate()


def kill(broker: LocalBroker) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGKILL)


def reading(worker: Worker, log: Path, once: str = "") -> tuple[RunningWorker, int]:
    """A worker that has recorded some of the log, and how much there is."""
    total = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
    running = RunningWorker(worker.start(once, slow="away"))
    worker.until_committed(total // 4)
    assert worker.committed() < total
    return running, total


@pytest.mark.parametrize("gone", [signal.SIGKILL, signal.SIGSTOP])
def test_it_goes_on_where_it_was_when_the_broker_is_back(
    broker: LocalBroker, worker: Worker, log: Path, replayed: Path, gone: signal.Signals
) -> None:
    running, total = reading(worker, log)
    assert broker.pid is not None
    os.kill(broker.pid, gone)
    running.until("; the broker has been away for ")
    time.sleep(AWAY_SECONDS)
    where = announced(worker.db)
    assert where is not None
    assert ask(where.url, "/healthz").status == 200
    readiness = ask(where.url, "/readyz")
    assert (readiness.status, readiness.json["ready"]) == (503, False)
    assert "the broker has been away for " in readiness.json["why"]
    if gone is signal.SIGKILL:
        broker.stop()
        broker.start()
    else:
        os.kill(broker.pid, signal.SIGCONT)
    worker.until_committed(total, 90)
    running.until("answers again")  # the watch looks on its own, and can be later than the records
    running.process.terminate()
    assert running.process.wait(30) == 0, running.lines[-5:]
    assert digest(worker.db) == digest(replayed)
    assert flags_on_topic(worker.bootstrap)
    told = [line for line in running.lines if "waited for" in line or "answers again" in line]
    assert [line.split(" at ")[0] for line in told] == [
        "WARNING no Kafka broker answers", "INFO the broker",
    ]  # fmt: skip


def test_a_broker_that_lost_its_tail_and_grew_past_it(
    broker: LocalBroker, worker: Worker, log: Path, tmp_path: Path
) -> None:
    """As after a disk was restored: the same topics, numbers of leaders and offsets."""
    copied(broker, tmp_path / "copy")
    running, total = reading(worker, log)
    worker.until_committed(total)
    kill(broker)
    running.until("it is waited for")  # what was recorded last is compared when it is back
    running.process.send_signal(signal.SIGSTOP)  # so that it sees no more of it than the end
    restored(broker, tmp_path / "copy", total)
    running.process.send_signal(signal.SIGCONT)
    said = running.ended(45)
    assert "where Kafka has another record now: the broker lost what came last" in said


def test_so_does_one_that_was_down_meanwhile(
    broker: LocalBroker, worker: Worker, log: Path, tmp_path: Path
) -> None:
    copied(broker, tmp_path / "copy")
    running, total = reading(worker, log)
    worker.until_committed(total)
    running.process.terminate()
    assert running.process.wait(30) == 0, running.lines[-5:]
    before = digest(worker.db)
    restored(broker, tmp_path / "copy", total)
    said = RunningWorker(worker.start("once")).ended(45)
    assert "where Kafka has another record now: the broker lost what came last" in said
    assert digest(worker.db) == before


def copied(broker: LocalBroker, to: Path) -> None:
    """Make the topics, and copy the disk of the broker as it is then."""
    create_topics(broker.bootstrap, PARTITIONS)
    broker.stop()
    shutil.copytree(broker.folder / "data", to)
    broker.start()


def restored(broker: LocalBroker, copy: Path, count: int) -> None:
    """Give the broker its older disk, and write that many other records to each partition."""
    broker.stop()
    shutil.rmtree(broker.folder / "data")
    shutil.copytree(copy, broker.folder / "data")
    broker.start()
    for topic in INPUT_TOPICS:
        fill(broker.bootstrap, topic, count)


def fill(bootstrap: str, topic: str, count: int) -> None:
    """Send so many values that are no events to each partition."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20)
    for number in range(count):
        for partition in range(PARTITIONS):
            producer.send(topic, value=b"%d" % number, partition=partition)
    producer.flush()
    producer.close()


def test_sigterm_ends_it_meanwhile(broker: LocalBroker, worker: Worker, log: Path) -> None:
    running, _ = reading(worker, log)
    kill(broker)
    running.until("it is waited for")
    time.sleep(2)
    started = time.monotonic()
    running.process.terminate()
    assert running.process.wait(30) == 0, running.lines[-5:]
    assert time.monotonic() - started < 10


def test_once_gives_it_up(broker: LocalBroker, worker: Worker, log: Path) -> None:
    running, _ = reading(worker, log, "once")
    kill(broker)
    said = running.ended(45)
    # By the watch, or by what was being sent when it went.
    assert f"no Kafka broker at {worker.bootstrap}: " in said
