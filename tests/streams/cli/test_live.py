"""`tail` and `top` look at a live database."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

import lineage
from streams.cli.commands.services.tail import line_of
from streams.cli.commands.services.top import Samples, panel_of, view_of
from streams.kafka.publish import publish
from tests.lineage.events.builders import declared, hop, message
from tests.streams.cli.runner import run
from tests.streams.kafka_helpers import PARTITIONS
from tests.streams.workers import Worker

LEAK = [
    declared("of-later", "vendor-of-later", kind="SINK", party="THIRD", recipient="Acme"),
    message("told-later"),
    hop("hop-of-later", "inbox", "vendor-of-later", ["told-later"]),
]


def tailed(db: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streams.cli", "tail", "--db", str(db), "--interval", "0.2"]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)


def test_rates_and_sums_of_two_scrapes() -> None:
    name = "lineage_flag_changes_total"
    before: Samples = {"lineage_events_total": [({}, 100.0)]}
    now: Samples = {
        "lineage_events_total": [({}, 300.0)],
        name: [({"status": "raised"}, 5.0), ({"status": "cleared"}, 2.0)],
        "lineage_flags_open": [({"rule": "a"}, 1.0), ({"rule": "b"}, 2.0), ({"rule": "a"}, 3.0)],
        "lineage_consumer_lag_seconds": [({}, 3.0), ({}, 7.5)],
    }
    view = view_of(before, now, 2.0)
    assert (view.events_per_second, view.lag_seconds, view.commit_seconds) == (100.0, 7.5, None)
    assert (view.flags_raised, view.flags_cleared) == (5, 2)
    assert list(view.flags_open.items()) == [("a", 4), ("b", 2)]


def shown(what: RenderableType) -> str:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_a_line_and_a_panel_for_people() -> None:
    change = {
        "recorded_at": datetime(2024, 9, 18, 10, 30), "status": "RAISED", "severity": "HIGH",
        "rule": "a-rule", "message_id": "m-1", "dataset": "vendors.x",
    }  # fmt: skip
    assert shown(line_of(change)).split() == [
        "2024-09-18T10:30:00", "raised", "HIGH", "a-rule", "m-1", "vendors.x",
    ]  # fmt: skip
    assert "cleared" in shown(line_of(change | {"status": "CLEARED"}))
    now: Samples = {
        "lineage_consumer_lag_records": [({}, 1234.0)],
        "lineage_dead_letters_total": [({"reason": "no event"}, 3.0)],
    }
    panel = shown(panel_of(view_of({}, now, 1.0)))
    for text in ("1,234 records", "not ready", "dead letters  3", "no event"):
        assert text in panel


def test_top_says_where_no_worker_is(db: Path) -> None:
    ran = run("top", "--db", db, "--count", 1)
    assert ran.code == 3
    assert "no worker that answers questions writes" in ran.err


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_tail_from_the_beginning_has_the_history_and_what_comes_without_a_worker(
    db: Path, log: Path
) -> None:
    with lineage.open(db, read_only=True) as store:
        wanted = store.sql("SELECT seq FROM flag_history ORDER BY seq").fetchall()
    process = tailed(db, "--from", "beginning")
    try:
        assert process.stdout is not None
        rows = [json.loads(process.stdout.readline()) for _ in wanted]
        with lineage.open(db) as store:
            assert store.apply(LEAK).raised
        come = json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
    assert [(row["seq"],) for row in rows] == wanted
    assert {"rule", "message_id", "dataset", "status", "severity"} <= rows[0].keys()
    assert (come["message_id"], come["dataset"]) == ("told-later", "vendor-of-later")


@pytest.mark.kafka
@pytest.mark.timeout(120)
def test_tail_and_top_follow_a_worker(worker: Worker, log: Path) -> None:
    running = worker.command()
    running.until("answering questions at ")
    process = tailed(worker.db, "--from", "beginning")
    try:
        sent = sum(publish([log], worker.bootstrap, PARTITIONS).events.values())
        worker.until_committed(sent)
        (count,) = run(
            "sql", "SELECT count(*) AS n FROM flag_history", "--db", worker.db, "--json"
        ).rows
        assert process.stdout is not None
        rows = [json.loads(process.stdout.readline()) for _ in range(count["n"])]
    finally:
        process.kill()
        process.wait()
    assert len({row["seq"] for row in rows}) == count["n"] > 0
    ran = run("top", "--db", worker.db, "--count", 1, "--interval", 0.2)
    (told,) = ran.rows
    assert told["flags_raised"] - told["flags_cleared"] == sum(told["flags_open"].values()) > 0
