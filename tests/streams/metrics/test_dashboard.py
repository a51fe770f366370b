"""The dashboard's queries answer on a real Prometheus that scrapes a real worker."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka import KafkaProducer

from lineage.codec import MESSAGE_SENT
from streams.kafka.publish import publish
from tests.streams.kafka_helpers import PARTITIONS
from tests.streams.workers import Worker

FOLDER = Path(__file__).parents[3] / "monitoring"
PROGRAM = shutil.which("prometheus")
SECONDS_MAX = 60.0

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(PROGRAM is None, reason="needs Prometheus (Debian: prometheus)"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def prometheus(folder: Path, worker_port: int) -> Iterator[str]:
    """A Prometheus with the rules of the project that scrapes a worker each second; its address."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(FOLDER / "rules.yml")]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{worker_port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    assert PROGRAM is not None
    command = [
        PROGRAM, f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def asked(address: str, path: str, **parameters: str) -> dict[str, Any]:
    url = f"{address}{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 -- an address of ours
        found: dict[str, Any] = json.load(answer)
        return found


def value(address: str, query: str) -> float:
    """The value of a query's first series, 0 where there is none or nothing answers yet."""
    try:
        found = asked(address, "/api/v1/query", query=query)["data"]["result"]
    except (urllib.error.URLError, ConnectionError):
        return 0.0
    return float(found[0]["value"][1]) if found else 0.0


def queries() -> list[tuple[str, str]]:
    """The title of each panel and its queries, as Grafana would send them."""
    board = json.loads((FOLDER / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
    return [
        (
            panel["title"],
            target["expr"].replace("$instance", ".*").replace("$__rate_interval", "4s"),
        )
        for panel in board["panels"]
        for target in panel["targets"]
    ]


def test_every_panel_shows_something_and_no_rule_fails(
    worker: Worker, log: Path, tmp_path: Path
) -> None:
    publish([log], worker.bootstrap, PARTITIONS)
    with KafkaProducer(bootstrap_servers=worker.bootstrap) as producer:
        producer.send(MESSAGE_SENT.topic, b"no event").get(30)
    port = free_port()
    worker.command("--serve", f"127.0.0.1:{port}")
    with prometheus(tmp_path, port) as address:
        deadline = time.monotonic() + SECONDS_MAX
        for there in (
            "sum(lineage_flag_changes_total)",
            "sum(lineage_dead_letters_total)",
            "count_over_time(lineage_dead_letters_total[1m]) > 5",
        ):
            while not value(address, there):
                assert time.monotonic() < deadline, there
                time.sleep(0.2)
        empty = {
            title
            for title, query in queries()
            if not asked(address, "/api/v1/query", query=query)["data"]["result"]
        }
        rules = asked(address, "/api/v1/rules")["data"]["groups"][0]["rules"]
        assert {rule["health"] for rule in rules} == {"ok"}
        firing = asked(address, "/api/v1/query", query="ALERTS{alertname='LineageCriticalFlag'}")
        assert firing["data"]["result"]
    assert empty == set()


def test_each_query_chooses_the_worker() -> None:
    for title, query in queries():
        names = len(re.findall(r"\b(?:lineage|process)_\w+", query))
        assert names == query.count('instance=~".*"') > 0, title
