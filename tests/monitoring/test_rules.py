"""The rules of Prometheus are such, and name series that a worker has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from streams.metrics.meter import Meter
from streams.metrics.progress import Lag, Progress
from streams.metrics.scraped import Scraped, Watched
from streams.serve.readers import Readers
from tests.stores import new_store

FOLDER = Path(__file__).parents[2] / "monitoring"


def test_promtool_accepts_rules_and_configuration() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool: apt-get install prometheus")
    command = [promtool, "check", "config", str(FOLDER / "prometheus.yml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 rules found" in ran.stdout


def test_every_series_that_a_rule_names_is_there() -> None:
    named = set(re.findall(r"\blineage_\w+", (FOLDER / "rules.yml").read_text(encoding="utf-8")))
    meter = Meter()
    progress = Progress(False, 1, {("t", 0): Lag(1, 1.0)})
    with new_store() as store:
        watched = Watched(Readers(store), None, lambda: progress, lambda: 0, 60)
        meter.registry.register(Scraped(watched))
        said = generate_latest(meter.registry).decode()
    there = set(re.findall(r"^# TYPE (\w+)", said, re.M))
    assert len(named) >= 6
    assert named <= there
