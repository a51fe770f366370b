"""A live worker on a real Kafka tells its metrics, and whether it is ready."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lineage.codec import MESSAGE_SENT
from streams.kafka.publish import publish
from streams.serve.address_file import announced
from tests.streams.cli.runner import run
from tests.streams.kafka_helpers import PARTITIONS
from tests.streams.serve.serving import ask
from tests.streams.workers import RunningWorker, Worker

pytestmark = pytest.mark.kafka


def url_of(running: RunningWorker) -> str:
    running.until("answering questions at ")
    (line,) = (line for line in running.lines if "answering questions at " in line)
    return line.rpartition(" ")[2]


def until_ready(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while (told := ask(url, "/readyz")).status != 200:
        assert time.monotonic() < deadline, told.body
        time.sleep(0.1)


def values(text: str) -> dict[str, float]:
    """The sum of each sample over its labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_a_worker_tells_what_it_recorded_and_is_ready(
    worker: Worker, log: Path, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("0123456789abcdef")
    running = worker.command("--token-file", str(token))
    url = url_of(running)
    until_ready(url)
    assert ask(url, "/healthz").status == 200
    assert ask(url, "/metrics").status == 401
    sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
    worker.until_committed(sent)
    until_ready(url)
    told = ask(url, "/metrics", authorization="Bearer 0123456789abcdef")
    assert told.headers["content-type"].startswith("text/plain")
    text = told.body.decode()
    found = values(text)
    (counted,) = run("sql", "SELECT count(*) AS n FROM flag", "--db", worker.db, "--json").rows
    assert found["lineage_records_total"] == sent
    assert 0 < found["lineage_events_total"] <= sent  # some come twice
    assert found["lineage_flags_open"] == counted["n"] > 0
    assert found["lineage_consumer_lag_records"] == found["lineage_consumer_lag_seconds"] == 0
    assert found["lineage_database_size_bytes"] > 0
    assert found["process_resident_memory_bytes"] > 0
    for name in ("record_bytes_total", "batches_total", "arrivals_added_total"):
        assert found[f"lineage_{name}"] > 0, name
    for name in ("commit", "decode"):
        assert found[f"lineage_{name}_duration_seconds_count"] > 0
    assert found["lineage_ready"] == 1
    assert f'lineage_records_total{{topic="{MESSAGE_SENT.topic}"}}' in text
    assert "message_id" not in text


def test_a_worker_that_is_behind_is_not_ready_until_it_has_caught_up(
    worker: Worker, log: Path
) -> None:
    sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
    worker.start(slow="behind")
    deadline = time.monotonic() + 30
    whys: set[str] = set()
    while not any("records" in why and why.endswith(" behind") for why in whys):
        assert time.monotonic() < deadline, whys
        where = announced(worker.db)
        if where is not None:
            told = ask(where.url, "/readyz")
            whys.add(told.json.get("why", ""))
        time.sleep(0.02)
    assert where is not None
    worker.until_committed(sent)
    until_ready(where.url)
