"""A real Apache Kafka for the tests marked `kafka`."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import lineage
from streams.broker import LocalBroker, find_java, find_maven, kafka_jars
from streams.errors import BrokerError
from streams.kafka.topics.topics import create_topics
from streams.simulate import simulate
from tests.lineage.events.builders import reported
from tests.streams.docker_kafka import docker_broker, why_no_engine
from tests.streams.kafka_helpers import PARTITIONS, delete_topics
from tests.streams.workers import Worker


def _why_no_local_broker() -> str | None:
    try:
        find_java()
        find_maven()
        kafka_jars()
    except BrokerError as error:
        return str(error)
    return None


@pytest.fixture(scope="session")
def local_broker_possible() -> None:
    """Skip where no broker of our own can be started, saying why."""
    why = _why_no_local_broker()
    if why is not None:
        pytest.skip(f"no local Kafka: {why}")


@pytest.fixture(scope="session")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a broker: LINEAGE_TEST_BOOTSTRAP (its lineage topics are deleted!), or ours.

    Ours runs on Java, or where that is not to be had in a container.
    """
    given = os.environ.get("LINEAGE_TEST_BOOTSTRAP")
    if given:
        yield given
        return
    why = _why_no_local_broker()
    if why is None:
        with LocalBroker(tmp_path_factory.mktemp("kafka")) as broker:
            yield broker.bootstrap
        return
    no_engine = why_no_engine()
    if no_engine is not None:
        pytest.skip(f"no Kafka: LINEAGE_TEST_BOOTSTRAP is not set, {why}, and {no_engine}")
    with docker_broker() as address:
        yield address


@pytest.fixture
def no_topics(bootstrap: str) -> str:
    """A broker without any of our topics."""
    delete_topics(bootstrap)
    return bootstrap


@pytest.fixture
def topics(no_topics: str) -> str:
    """A broker with all our topics, empty, of PARTITIONS partitions."""
    create_topics(no_topics, PARTITIONS)
    return no_topics


@pytest.fixture
def worker(tmp_path: Path, topics: str) -> Iterator[Worker]:
    group = f"test-{random.getrandbits(48):x}"
    workers = Worker(tmp_path / "live.duckdb", topics, group)
    yield workers
    for process in workers.running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An event log with planted leaks and events of all types."""
    folder = tmp_path_factory.mktemp("log") / "log"
    simulate(1_500, 7, folder)
    runs = (f"run-{number}" for number in range(40))
    reports = [reported(f"report of {run}", run, hops=3, records=7) for run in runs]
    (folder / "reports.jsonl").write_text("".join(json.dumps(one) + "\n" for one in reports))
    return folder


@pytest.fixture(scope="module")
def replayed(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that a replay of the log makes."""
    db = tmp_path_factory.mktemp("replayed") / "replayed.duckdb"
    with lineage.open(db) as store:
        store.replay(log)
    return db
