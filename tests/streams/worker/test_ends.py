"""Every way in which a worker can fail: it ends soon, and the cause is the last line."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource

import lineage
from streams.errors import StreamsError, WorkerError, causes
from streams.kafka.admin import admin_client
from streams.kafka.publish import publish
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, end_offsets
from streams.worker.configuration.settings import Settings
from streams.worker.reports.explain import explained
from tests.streams.kafka_helpers import PARTITIONS
from tests.streams.workers import Worker

TOPIC = "messaging.message.sent.v1"
READY = "Worker ready"
# A bound for a busy machine, far below the minutes that it took where nobody said why.
SOON = 45.0


def send(bootstrap: str, topic: str, count: int) -> None:
    """Send so many values that are no events."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=256 * 1024)
    for number in range(count):
        producer.send(topic, key=b"%d" % number, value=b"no event %d" % number)
    producer.flush()
    producer.close()


@contextmanager
def answering(code: int) -> Iterator[str]:
    """A registry that answers everything with one code."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name that the library looks for

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended since
            parent = stat.read_text().rsplit(")", 1)[1].split()[1]
            if parent == str(pid):
                found.append(int(stat.parent.name))
    return found


@pytest.mark.kafka
class TestOnRealKafka:
    def test_a_topic_that_is_deleted_while_it_is_read(self, worker: Worker) -> None:
        running = worker.command()
        running.until(READY)
        with admin_client(worker.bootstrap) as admin:
            admin.delete_topics([TOPIC])
        said = running.ended(SOON)
        assert said.startswith(f"Error: the topic {TOPIC} is gone from {worker.bootstrap}")
        assert not any("another worker" in line for line in running.lines)

    def test_a_produced_topic_that_is_deleted(self, worker: Worker) -> None:
        running = worker.command()
        running.until(READY)
        with admin_client(worker.bootstrap) as admin:
            admin.delete_topics([DEAD_LETTER_TOPIC])
        assert f"the topic {DEAD_LETTER_TOPIC} is gone" in running.ended(SOON)

    @pytest.mark.parametrize("options", [[], ["--once"]])
    def test_a_second_worker_that_would_get_a_part(
        self, worker: Worker, log: Path, tmp_path: Path, options: list[str]
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        first = worker.command()
        first.until(READY)
        worker.db = tmp_path / "second.duckdb"
        said = worker.command(*options).ended(SOON)
        assert said.startswith(f"Error: another worker of the group {worker.group} reads")
        assert not worker.db.exists()
        assert first.process.poll() is None

    @pytest.mark.parametrize("code", [404, 500, 503])
    def test_a_registry_that_answers_something_else(self, worker: Worker, code: int) -> None:
        producer = KafkaProducer(bootstrap_servers=worker.bootstrap)
        producer.send(TOPIC, value=b"\0\0\0\0\1bad", partition=0)
        producer.flush()
        producer.close()
        with answering(code) as url:
            said = worker.command("--registry-url", url).ended(SOON)
        assert said.startswith(f"Error: schema registry: {url}")
        assert str(code) in said

    def test_a_registry_that_is_away(self, worker: Worker, log: Path) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        said = worker.command("--registry-url", "http://127.0.0.1:1").ended(SOON)
        assert said.startswith("Error: schema registry: http://127.0.0.1:1 does not answer")

    def test_faust_s_own_command_says_the_cause_whatever_its_log_level(
        self, worker: Worker, log: Path
    ) -> None:
        publish([log], worker.bootstrap, PARTITIONS)
        environment = {
            **os.environ,
            "LINEAGE_DB": str(worker.db),
            "LINEAGE_BOOTSTRAP": worker.bootstrap,
            "LINEAGE_GROUP": worker.group,
            "LINEAGE_REGISTRY_URL": "http://127.0.0.1:1",
        }
        command = [sys.executable, "-m", "faust", "-A", "streams.app", "worker", "-l", "error"]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=SOON, check=False,
        )  # fmt: skip
        assert done.returncode == 3, done.stderr
        assert done.stderr.splitlines()[-1].startswith("Error: schema registry: http://127.0.0.1:1")

    def test_a_full_disk(self, worker: Worker, tmp_path: Path) -> None:
        small = tmp_path / "small"
        small.mkdir()
        mount = f'mount -t tmpfs -o size=2m none "{small}" && exec "$@"'
        # A mount namespace of its own, so that nothing is left behind.
        before = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh"]
        tried = subprocess.run([*before, "true"], capture_output=True, text=True, check=False)
        if tried.returncode:
            pytest.skip(f"a small file system cannot be mounted here: {tried.stderr.strip()}")
        send(worker.bootstrap, TOPIC, 40_000)
        worker.db = small / "live.duckdb"
        said = worker.command("--once", before=before).ended(SOON)
        assert said.startswith("Error: the batch was not recorded: ")
        assert "No space left on device" in said

    def test_a_killed_decoder(self, worker: Worker) -> None:
        running = worker.command()
        running.until(READY)
        (decoder,) = children(running.process.pid)
        os.kill(decoder, signal.SIGKILL)
        send(worker.bootstrap, TOPIC, 40_000)
        said = running.ended(SOON)
        assert said.startswith("Error: the process that decodes ended with code -9")

    def test_a_flood_of_dead_letters_is_no_failure(self, worker: Worker) -> None:
        send(worker.bootstrap, TOPIC, 100_000)
        worker.drain()
        with lineage.open(worker.db, read_only=True) as store:
            assert store.sql("SELECT count(*) FROM dead_letter").fetchone() == (100_000,)
        assert sum(end_offsets(worker.bootstrap, [DEAD_LETTER_TOPIC]).values()) == 100_000

    def test_a_dead_letter_topic_that_takes_less_than_the_others(self, worker: Worker) -> None:
        with admin_client(worker.bootstrap) as admin:
            small = {"max.message.bytes": "2000"}
            admin.alter_configs([ConfigResource("topic", DEAD_LETTER_TOPIC, small)])
        producer = KafkaProducer(bootstrap_servers=worker.bootstrap)
        for size in [10] * 200 + [5_000] + [10] * 200:
            producer.send(TOPIC, value=b"x" * size, partition=0)
        producer.flush()
        producer.close()
        worker.drain()
        assert sum(end_offsets(worker.bootstrap, [DEAD_LETTER_TOPIC]).values()) == 401


def test_an_error_that_is_its_own_cause_is_looked_at_once() -> None:
    error = ValueError("alone")
    error.__cause__ = error
    assert list(causes(error)) == [error]
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first
    assert list(causes(first)) == [first, second]


def test_an_error_of_ours_is_found_below_those_of_libraries() -> None:
    ours = StreamsError("ours")
    outer = RuntimeError("Faust's own")
    outer.__cause__ = ours
    settings = Settings("db", "127.0.0.1:1")
    assert explained(outer, settings) is ours
    unknown = explained(ValueError("dear friend"), settings)
    assert isinstance(unknown, WorkerError)
    assert "ValueError" in str(unknown)
    assert "friend" not in str(unknown)
