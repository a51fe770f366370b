"""Rebalances, transactions, and topics that are others than those recorded, on a real Kafka."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import NewPartitions
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

import lineage
from lineage.codec import Batch, Encoder, LocalIds
from streams.broker import LocalBroker
from streams.kafka.admin import admin_client
from streams.kafka.publish import publish
from streams.kafka.topics.topics import INPUT_TOPICS, create_topics
from tests.streams.kafka_helpers import PARTITIONS, delete_topics
from tests.streams.workers import Worker, digest

MESSAGES = "messaging.message.sent.v1"
HOPS = "lineage.records.moved.v1"
READY = "Worker ready"
SOON = 45.0


def message(name: str) -> dict[str, object]:
    party = {"tier": "RECRUITER", "region": "US"}
    consent = {"ai_training_consent": True, "third_party_consent": True}
    return {
        "event": "MessageSent",
        "message_id": name,
        "channel": "INMAIL",
        "parties": [
            {"role": role, "member_id": role, **party, **consent}
            for role in ("SENDER", "RECIPIENT")
        ],
        "dataset": "messages",
        "sent_at": "2024-09-18T00:00:00Z",
    }


def export(name: str, record: str) -> dict[str, object]:
    return {
        "event": "RecordsMoved",
        "hop_id": name,
        "run_id": "r",
        "job": "j",
        "operation": "EXPORT",
        "source": "messages",
        "target": "vendor",
        "inputs": [record],
        "outputs": [],
        "declassification": None,
        "moved_at": "2024-09-19T00:00:00Z",
    }


def send(producer: KafkaProducer, topic: str, event: Mapping[str, object], partition: int) -> None:
    producer.send(topic, value=Encoder(LocalIds()).encode(event), partition=partition)
    producer.flush()


def count(worker: Worker, what: str) -> int:
    with lineage.open(worker.db, read_only=True) as store:
        row = store.sql(f"SELECT count(*) FROM {what}").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.kafka
class TestRebalances:
    def test_a_paused_worker_of_empty_partitions_goes_on(self, worker: Worker) -> None:
        producer = KafkaProducer(bootstrap_servers=worker.bootstrap)
        send(producer, MESSAGES, message("before"), 0)
        running = worker.command()
        worker.until_committed(1)
        running.process.send_signal(signal.SIGSTOP)
        time.sleep(16)  # the group gives it up after ten
        running.process.send_signal(signal.SIGCONT)
        send(producer, MESSAGES, message("after"), 0)
        send(producer, MESSAGES, message("elsewhere"), 1)
        producer.close()
        worker.until_committed(3)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
        assert count(worker, "message") == 3

    def test_members_that_come_and_go_leave_nothing_out(
        self, worker: Worker, log: Path, replayed: Path
    ) -> None:
        first = worker.command()
        first.until(READY)
        for number in range(2):
            # No worker: another one is not let in.
            other = KafkaConsumer(
                *INPUT_TOPICS,
                bootstrap_servers=worker.bootstrap,
                group_id=worker.group,
                partition_assignment_strategy=[RoundRobinPartitionAssignor],
                enable_auto_commit=False,
            )
            deadline = time.monotonic() + SOON
            while not other.assignment():
                assert time.monotonic() < deadline
                other.poll(200)
            if number == 0:
                publish([log], worker.bootstrap, PARTITIONS)
            other.close(autocommit=False)
        # Again, for the first alone: what is sent twice counts once.
        sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
        worker.until_committed(2 * sent, 120)
        first.process.terminate()
        assert first.process.wait(30) == 0
        assert digest(worker.db) == digest(replayed)

    def test_partitions_that_are_added_are_read_from_their_beginning(self, worker: Worker) -> None:
        running = worker.command()
        running.until(READY)
        with admin_client(worker.bootstrap) as admin:
            admin.create_partitions({MESSAGES: NewPartitions(PARTITIONS + 1)})
        producer = KafkaProducer(bootstrap_servers=worker.bootstrap)
        send(producer, MESSAGES, message("new"), PARTITIONS)
        producer.close()
        running.until(f"the topic {MESSAGES} has {PARTITIONS + 1} partitions")
        worker.until_committed(1)
        running.process.terminate()
        assert running.process.wait(30) == 0
        assert count(worker, "message") == 1


@pytest.mark.kafka
class TestTransactions:
    def test_what_was_aborted_never_happened(self, worker: Worker) -> None:
        producer = KafkaProducer(bootstrap_servers=worker.bootstrap, transactional_id="aborting")
        producer.init_transactions()
        producer.begin_transaction()
        send(producer, MESSAGES, message("m"), 0)
        send(producer, HOPS, export("committed", "m"), 0)
        producer.commit_transaction()
        producer.begin_transaction()
        send(producer, HOPS, export("aborted", "m"), 0)
        producer.abort_transaction()
        producer.close()
        worker.drain()
        with lineage.open(worker.db, read_only=True) as store:
            assert store.sql("SELECT hop_id FROM hop").fetchall() == [("committed",)]
        assert count(worker, "dead_letter") == 0

    def test_one_that_is_open_is_left_for_later_and_not_waited_for(self, worker: Worker) -> None:
        plain = KafkaProducer(bootstrap_servers=worker.bootstrap)
        send(plain, MESSAGES, message("before"), 0)
        producer = KafkaProducer(bootstrap_servers=worker.bootstrap, transactional_id="open")
        producer.init_transactions()
        producer.begin_transaction()
        send(producer, MESSAGES, message("in it"), 0)
        send(plain, MESSAGES, message("behind it"), 0)
        worker.drain()
        assert count(worker, "message") == 1
        producer.commit_transaction()
        producer.close()
        plain.close()
        worker.drain()
        assert count(worker, "message") == 3


@pytest.mark.kafka
class TestOtherTopics:
    @pytest.fixture
    def recorded(self, worker: Worker, log: Path) -> Worker:
        publish([log], worker.bootstrap, PARTITIONS)
        worker.drain()
        return worker

    @pytest.mark.parametrize("once", [["--once"], []])
    def test_made_anew_and_grown_past_the_position(
        self, recorded: Worker, log: Path, once: list[str]
    ) -> None:
        delete_topics(recorded.bootstrap)
        create_topics(recorded.bootstrap, PARTITIONS)
        for _ in range(2):
            publish([log], recorded.bootstrap, PARTITIONS)
        before = digest(recorded.db)
        said = recorded.command(*once).ended(SOON)
        assert said.startswith("Error: ")
        assert "it was deleted and made anew" in said
        assert digest(recorded.db) == before

    def test_made_anew_and_smaller(self, recorded: Worker) -> None:
        delete_topics(recorded.bootstrap)
        create_topics(recorded.bootstrap, PARTITIONS)
        assert "made anew" in recorded.command("--once").ended(SOON)

    def test_gone(self, recorded: Worker) -> None:
        delete_topics(recorded.bootstrap)
        assert "and it is gone" in recorded.command("--once").ended(SOON)

    def test_made_anew_while_it_runs(self, recorded: Worker) -> None:
        running = recorded.command()
        running.until(READY)
        delete_topics(recorded.bootstrap)
        create_topics(recorded.bootstrap, PARTITIONS)
        said = running.ended(SOON)
        assert "made anew" in said

    def test_of_another_cluster(
        self, recorded: Worker, log: Path, tmp_path: Path, local_broker_possible: None
    ) -> None:
        with LocalBroker(tmp_path / "other") as broker:
            publish([log], broker.bootstrap, PARTITIONS)
            recorded.bootstrap = broker.bootstrap
            said = recorded.command("--once").ended(SOON)
        assert "was read from the Kafka cluster" in said

    def test_whose_end_is_before_the_position(self, recorded: Worker) -> None:
        with lineage.open(recorded.db) as store:
            store.apply_batch(Batch.empty(), {(MESSAGES, 0): 1_000_000})
        said = recorded.command("--once").ended(SOON)
        assert f"{MESSAGES} partition 0 up to offset 1000000" in said

    def test_the_identity_is_an_auditor_s_to_see(self, recorded: Worker) -> None:
        with lineage.open(recorded.db, read_only=True) as store:
            rows = store.sql("SELECT topic, cluster_id, topic_id FROM ingest_topic").fetchall()
            positions = store.sql("SELECT DISTINCT topic FROM ingest_position").fetchall()
        assert {topic for topic, _, _ in rows} == {topic for (topic,) in positions}
        assert len({cluster for _, cluster, _ in rows}) == 1
        assert len({topic_id for _, _, topic_id in rows}) == len(rows)


@pytest.mark.kafka
class TestStartedTogether:
    @pytest.mark.parametrize("options", [[], ["--once"]])
    def test_of_workers_that_start_in_one_moment_one_is_left(
        self, worker: Worker, log: Path, replayed: Path, tmp_path: Path, options: list[str]
    ) -> None:
        sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
        dbs = [worker.db, tmp_path / "second.duckdb", tmp_path / "third.duckdb"]
        running = []
        for worker.db in dbs:
            running.append(worker.command(*options))
        deadline = time.monotonic() + 2 * SOON
        while sum(one.process.poll() is None for one in running) > 1:
            assert time.monotonic() < deadline, [one.lines[-3:] for one in running]
            if options and any(one.process.poll() == 0 for one in running):
                break  # the one that is left is done
            time.sleep(0.1)
        if not options:
            worker.until_committed(sent, 60)
            next(one for one in running if one.process.poll() is None).process.terminate()
        codes = [one.process.wait(60) for one in running]
        # With --once, one that starts when the first is done reads all of it again, alone.
        assert {*codes} <= {0, 3} if options else sorted(codes) == [0, 3, 3]
        assert 0 in codes
        for db, code, one in zip(dbs, codes, running, strict=True):
            if code == 0:
                assert digest(db) == digest(replayed)
            else:
                assert "another worker of the group" in one.ended(SOON)
                worker.db = db
                assert not db.exists() or worker.recorded() == 0
