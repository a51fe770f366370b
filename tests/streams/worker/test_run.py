"""The live worker on a real Kafka: killed, restarted, stopped, and never wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kafka import KafkaProducer, TopicPartition

import lineage
from lineage.codec import Encoder, LocalIds
from streams.errors import BrokerUnavailableError
from streams.kafka.admin import admin_client
from streams.kafka.publish import publish
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, INPUT_TOPICS, create_topics
from streams.worker.app import LineageApp
from streams.worker.configuration.settings import Settings
from streams.worker.run import run_worker
from tests.streams.kafka_helpers import PARTITIONS, delete_topics, flags_on_topic, read_all
from tests.streams.workers import RunningWorker, Worker, digest, members

# The flags as the flag topic tells them.
STANDING = """
SELECT f.rule, CAST(f.severity AS VARCHAR), f.message_id, f.dataset, f.policy_id, f.first_at,
    f.last_at, f.arrivals, f.first_hop, h.job, h.run_id, h.source, d.recipient
FROM flag f
LEFT JOIN hop h ON h.hop_id = f.first_hop
LEFT JOIN (
    SELECT message_id, dataset, arrived_at, hop_id, any_value(recipient) AS recipient
    FROM fact
    GROUP BY ALL
) d ON d.message_id = f.message_id AND d.dataset = f.dataset AND d.arrived_at = f.first_at
    AND d.hop_id IS NOT DISTINCT FROM f.first_hop
"""


@pytest.mark.kafka
class TestOnRealKafka:
    def test_killed_twice_it_records_what_a_replay_does(
        self, worker: Worker, log: Path, replayed: Path
    ) -> None:
        sent = publish([log], worker.bootstrap, PARTITIONS)
        total = sum(sent.events.values())
        assert set(sent.events) == set(INPUT_TOPICS)
        assert total > 3_000

        worker.kill_after(total // 4)
        first = worker.recorded()
        assert 0 < first < total
        worker.kill_after(first + (total - first) // 4)
        second = worker.recorded()
        assert first < second < total
        worker.drain()

        assert worker.recorded() == total
        assert digest(worker.db) == digest(replayed)
        with lineage.open(worker.db, read_only=True) as store:
            assert store.sql("SELECT count(*) FROM flag").fetchone() != (0,)
            assert store.sql("SELECT count(*) FROM dead_letter").fetchone() == (0,)

    def test_flags_on_the_topic_are_those_in_the_store(
        self, worker: Worker, log: Path, replayed: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        worker.kill_after(1_000)
        worker.drain()
        with lineage.open(replayed, read_only=True) as store:
            standing = store.sql(STANDING).fetchall()
        assert sorted(flags_on_topic(worker.bootstrap), key=repr) == sorted(standing, key=repr)
        assert standing

    def test_what_was_recorded_is_told_while_it_runs_and_at_the_end(
        self, worker: Worker, log: Path, replayed: Path
    ) -> None:
        sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
        running = RunningWorker(worker.start(slow="reporting"))
        worker.until_committed(sent)
        running.until("; 0 records behind")
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(60)
        with lineage.open(replayed, read_only=True) as store:
            ((arrivals,),) = store.sql("SELECT count(*) FROM arrival").fetchall()
        (last,) = (line for line in running.lines if line.startswith("INFO recorded in all: "))
        assert f" {sent:,} records, " in last
        assert f"{arrivals:,} arrivals" in last
        assert last.endswith(" 0 dead letters")
        told = [line for line in running.lines if line.startswith("INFO in 0 s: ")]
        records = [int(line.split()[4].replace(",", "")) for line in told]
        assert 0 < sum(records) <= sent

    def test_once_ends_with_a_summary(self, worker: Worker, log: Path) -> None:
        sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
        done = subprocess.run(
            [
                *(sys.executable, "-m", "streams.cli", "worker", "--db", str(worker.db), "--once"),
                *("--bootstrap", worker.bootstrap, "--group", worker.group, "--json"),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        assert (summary["records"], summary["dead_letters"]) == (sent, 0)
        with lineage.open(worker.db, read_only=True) as store:
            ((arrivals,),) = store.sql("SELECT count(*) FROM arrival").fetchall()
            ((unmatched,),) = store.sql("SELECT count(*) FROM unmatched_input").fetchall()
        assert (summary["arrivals"], summary["unmatched_inputs"]) == (arrivals, unmatched)

    def test_the_same_log_again_changes_nothing(
        self, worker: Worker, log: Path, replayed: Path
    ) -> None:
        for _ in range(2):
            publish([log], worker.bootstrap, PARTITIONS)
            worker.drain()
            assert digest(worker.db) == digest(replayed)

    def test_a_new_database_is_filled_from_the_beginning_by_the_same_group(
        self, worker: Worker, log: Path, replayed: Path, tmp_path: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        worker.drain()
        worker.db = tmp_path / "other.duckdb"
        worker.drain()
        assert digest(worker.db) == digest(replayed)

    def test_bad_bytes_become_dead_letters_with_the_original_bytes(self, worker: Worker) -> None:
        policy = {
            "event": "PolicyPublished",
            "policy_id": "p",
            "effective_at": "2024-09-18T00:00:00Z",
            "disclosed_at": None,
            "document": "rules: no",
        }
        bad: dict[str, list[bytes | None]] = {
            "messaging.message.sent.v1": [b"", b"\x00\x00\x00\x00\x01", b"my dear friend", None],
            "lineage.records.moved.v1": [b"\x00\x00\x00\x00\x63????", b"\x00\xff"],
            "lineage.policy.published.v1": [Encoder(LocalIds()).encode(policy)],
        }
        producer = KafkaProducer(bootstrap_servers=worker.bootstrap)
        for topic, values in bad.items():
            for value in values:
                producer.send(topic, key=b"k", value=value, partition=1)
        producer.flush()
        producer.close()
        worker.drain(quiet=False)  # the decoder's library says on stderr that it stumbled

        with lineage.open(worker.db, read_only=True) as store:
            table = store.sql(
                "SELECT source, partition, position, reason, sha256 FROM dead_letter"
            ).fetchall()
        assert sorted((source, position) for source, _, position, _, _ in table) == sorted(
            (topic, position) for topic, values in bad.items() for position in range(len(values))
        )
        assert "dear" not in str(table)
        on_topic = read_all(worker.bootstrap, DEAD_LETTER_TOPIC)
        told = []
        for record in on_topic:
            tags = {name: value.decode() for name, value in record.headers}
            source, position = tags["source"], int(tags["position"])
            assert record.value == bad[source][position]
            told.append((source, int(tags["partition"]), position, tags["reason"], tags["sha256"]))
        assert sorted(told) == sorted(table)

    def test_the_mark_at_the_end_of_a_transaction_is_not_waited_for(self, worker: Worker) -> None:
        producer = KafkaProducer(bootstrap_servers=worker.bootstrap, transactional_id="test")
        producer.init_transactions()
        producer.begin_transaction()
        producer.send("lineage.records.moved.v1", value=b"bad", partition=0)
        producer.commit_transaction()
        producer.close()
        started = time.monotonic()
        worker.drain()
        assert time.monotonic() - started < 40
        with lineage.open(worker.db, read_only=True) as store:
            assert store.sql("SELECT count(*) FROM dead_letter").fetchone() == (1,)

    def test_what_was_deleted_before_it_was_read_is_said_and_recorded(
        self, worker: Worker, log: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        topic = "messaging.message.sent.v1"
        with admin_client(worker.bootstrap) as admin:
            admin.delete_records({TopicPartition(topic, 2): 10})
        process = worker.start(once="once")
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert "EVIDENCE LOST" in said
        with lineage.open(worker.db, read_only=True) as store:
            letters = store.sql(
                "SELECT source, partition, position, reason FROM dead_letter"
            ).fetchall()
        assert [letter[:3] for letter in letters] == [(topic, 2, 0)]
        assert "offsets 0 to 9" in letters[0][3]

    def test_another_topic_than_the_one_recorded_is_refused(
        self, worker: Worker, log: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        worker.drain()
        delete_topics(worker.bootstrap)
        create_topics(worker.bootstrap, PARTITIONS)
        process = worker.start()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "LostEvidenceError" in said
        assert "Traceback" not in said

    def test_it_records_what_comes_and_ends_on_sigterm(
        self, worker: Worker, log: Path, replayed: Path
    ) -> None:
        process = worker.start()
        total = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
        deadline = time.monotonic() + 60
        while worker.committed() < total:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.1)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said
        assert time.monotonic() - started < 10
        assert digest(worker.db) == digest(replayed)

    def test_a_transaction_that_is_stuck_holds_up_no_sigterm(
        self, worker: Worker, log: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        process = worker.start(slow="stuck")
        deadline = time.monotonic() + 60
        # It has joined the group, so what there is to read is with the writer soon.
        while not members(worker):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        time.sleep(3)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert time.monotonic() - started < 10
        assert worker.recorded() == 0

    def test_a_second_worker_of_the_group_is_told_that_it_would_get_a_part(
        self, worker: Worker, log: Path, tmp_path: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        worker.start()
        while not members(worker):
            time.sleep(0.2)
        worker.db = tmp_path / "second.duckdb"
        process = worker.start(once="once")
        _, said = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "another group" in said
        assert "Traceback" not in said

    def test_a_database_held_by_another_process_is_said(
        self, worker: Worker, tmp_path: Path
    ) -> None:
        with lineage.open(worker.db):
            process = worker.start()
            _, said = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "StoreBusyError" in said
        assert "Traceback" not in said

    def test_faust_s_own_command_runs_it_too(
        self, worker: Worker, log: Path, replayed: Path, tmp_path: Path
    ) -> None:
        total = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
        environment = {
            **os.environ,
            "LINEAGE_DB": str(worker.db),
            "LINEAGE_BOOTSTRAP": worker.bootstrap,
            "LINEAGE_GROUP": worker.group,
        }
        command = [sys.executable, "-m", "faust", "-A", "streams.app", "worker", "-l", "error"]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        worker.running.append(process)
        deadline = time.monotonic() + 60
        while worker.committed() < total:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0
        assert digest(worker.db) == digest(replayed)

    def test_the_garbage_collector_rests_while_it_records(self, worker: Worker, log: Path) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        process = worker.start(once="once", slow="watched")
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0
        assert set(said.splitlines()) == {"the collector rests: True"}


@pytest.mark.slow
def test_no_process_is_left_where_there_is_no_broker(tmp_path: Path) -> None:
    app = LineageApp(Settings(str(tmp_path / "db"), "127.0.0.1:1"), lambda error: None)
    with pytest.raises(BrokerUnavailableError):
        asyncio.run(app.prepare())
    assert app._decoders._process is None


@pytest.mark.slow
def test_no_broker_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as silent:  # bound, but nobody listens
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(BrokerUnavailableError, match=address):
            run_worker(tmp_path / "db", address)
        assert time.monotonic() - started < 10
    assert not (tmp_path / "db").exists()
