"""A run says that it began, how it ended, and how much it has reported."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import lineage_sdk
from lineage_sdk import EventError, current_run, hop, run
from tests.sdk.jobs import Event, Reported, reporting
from tests.stores import new_store


def moved(*ids: str) -> None:
    with hop("a", "b") as h:
        h.keep(ids)


def reports(reported: Reported) -> list[Event]:
    return [event for event in reported.events() if event["event"] == "RunReported"]


def states(reported: Reported) -> list[tuple[str, int, int]]:
    return [(one["state"], one["hops"], one["records"]) for one in reports(reported)]


def test_a_run_counts_what_is_reported_in_it(reported: Reported) -> None:
    moved("before")
    with run("nightly") as this:
        moved("1", "2", "2")
        with hop("a", "b") as h:
            h.derive(["1", "2"], ["x"])
        assert current_run() is this
    moved("after")
    assert current_run() is None
    assert states(reported) == [("START", 0, 0), ("COMPLETE", 2, 5)]
    assert {one["run_id"] for one in reports(reported)} == {this.id}
    assert {one["job"] for one in reports(reported)} == {"nightly"}
    hops = reported.hops()
    assert [one["run_id"] == this.id for one in hops] == [False, True, True, False]
    assert [one["job"] for one in hops] == ["a-job", "nightly", "nightly", "a-job"]
    assert hops[0]["run_id"] == hops[3]["run_id"]


def test_the_counts_are_those_of_the_tracker(reported: Reported) -> None:
    with run() as this:
        moved(*map(str, range(25_000)))  # three events
        with hop("a", "b") as h:
            h.pairs([(str(n), str(n % 7)) for n in range(50)])
    sql = """
        SELECT count(DISTINCT hop_id), count(*) FROM hop JOIN hop_record USING (hop_id)
        WHERE run_id = $run
    """
    assert lineage_sdk.flush(20)
    with new_store() as store:
        store.replay(reported.log)
        found = store.sql(sql, {"run": this.id}).fetchall()
    assert found == [(this.hops, this.records)]
    assert states(reported)[-1] == ("COMPLETE", this.hops, this.records)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValueError("the job's own"), "FAIL"),
        (KeyboardInterrupt(), "ABORT"),
        (SystemExit(1), "ABORT"),
        (SystemExit(0), "COMPLETE"),
        (SystemExit(), "COMPLETE"),
        (asyncio.CancelledError(), "ABORT"),
    ],
)
def test_how_a_run_ends(reported: Reported, error: BaseException, state: str) -> None:
    def job() -> None:
        with run():
            moved("1")
            raise error

    with pytest.raises(type(error)):
        job()
    assert states(reported) == [("START", 0, 0), (state, 1, 1)]


def test_a_run_that_goes_on_says_so(reported: Reported) -> None:
    with run(every=0.05):
        moved("1")
        deadline = time.monotonic() + 20
        while len(reports(reported)) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
    found = states(reported)
    assert found[0] == ("START", 0, 0)
    assert ("RUNNING", 1, 1) in found
    assert found[-1] == ("COMPLETE", 1, 1)
    time.sleep(0.2)
    assert states(reported) == found  # and not afterwards


def test_runs_in_runs_and_in_tasks(reported: Reported) -> None:
    async def task(name: str) -> str:
        with run(name) as this:
            await asyncio.sleep(0.01)
            moved(name)
            return this.id

    async def both() -> tuple[str, str]:
        return await asyncio.gather(task("x"), task("y"))

    with run("outer") as outer:
        x, y = asyncio.run(both())
        moved("outer")
    assert [(one["inputs"], one["run_id"]) for one in reported.hops()] == [
        (["x"], x),
        (["y"], y),
        (["outer"], outer.id),
    ]
    assert outer.hops == 1


def test_threads_of_the_job_are_in_its_run(reported: Reported) -> None:
    with run() as this:
        threads = [threading.Thread(target=moved, args=(str(n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert this.hops == 8
    assert {one["run_id"] for one in reported.hops()} == {this.id}


def _child() -> None:
    assert current_run() is None
    moved("child")
    lineage_sdk.flush(20)


def test_a_forked_child_is_no_part_of_the_run(reported: Reported) -> None:
    context: Any = multiprocessing.get_context("fork")
    with run() as this:
        moved("parent")
        child = context.Process(target=_child)
        child.start()
        child.join(60)
        assert child.exitcode == 0
    assert this.hops == 1
    by_input = {one["inputs"][0]: one["run_id"] for one in reported.hops()}
    assert by_input["parent"] == this.id != by_input["child"]


def test_a_run_with_a_key_has_the_id_of_its_retry(reported: Reported) -> None:
    ids = []
    for key, job in (({"day": 1}, "j"), ({"day": 1}, "j"), ({"day": 2}, "j"), ({"day": 1}, "k")):
        with run(job, key=key) as this:
            ids.append(this.id)
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    with run(run_id="mine") as this:
        assert this.id == "mine"


def test_a_hop_that_says_its_run_is_counted_by_that_one_alone(reported: Reported) -> None:
    with run() as this, hop("a", "b", run_id="another") as h:
        h.keep("1")
    assert this.hops == 0


def test_a_hop_that_is_built_by_hand_counts_too(reported: Reported) -> None:
    with run("j") as this:
        assert lineage_sdk.emit(lineage_sdk.records_moved("a", "b", ["1"], ["2", "3"]))
        assert lineage_sdk.emit(lineage_sdk.records_moved("a", "b", ["1"], run_id="another"))
        lineage_sdk.emit(lineage_sdk.dataset_declared("a", "TABLE"))
    assert states(reported)[-1] == ("COMPLETE", 1, 3)
    assert [(one["run_id"], one["job"]) for one in reported.hops()] == [
        (this.id, "j"),
        ("another", "j"),
    ]


def test_a_key_that_json_cannot_say_never_stops_the_job(tmp_path: Path) -> None:
    with reporting(tmp_path) as reported:
        with run(key=object()):
            moved("1")
        assert [state for state, _, _ in states(reported)] == ["START", "COMPLETE"]
        assert lineage_sdk.counters().refused == 1


def test_a_wrong_run_raises_only_where_strict(tmp_path: Path) -> None:
    with reporting(tmp_path):
        with run(run_id=""):
            pass
        assert lineage_sdk.counters().refused == 2
        with pytest.raises(EventError, match="run_id must be"), run(run_id="", strict=True):
            raise AssertionError("not entered")


def test_a_builder_of_reports() -> None:
    at = datetime(2024, 9, 18, tzinfo=UTC)
    given: dict[str, Any] = {"hops": 1, "records": 2, "job": "j", "reported_at": at}
    event = lineage_sdk.run_reported("r", "COMPLETE", report_id="x", strict=True, **given)
    assert event == {
        "event": "RunReported",
        "report_id": "x",
        "run_id": "r",
        "job": "j",
        "state": "COMPLETE",
        "hops": 1,
        "records": 2,
        "reported_at": "2024-09-18T00:00:00.000000Z",
    }
    with pytest.raises(EventError, match="hops must be a whole number from 0"):
        lineage_sdk.run_reported("r", "COMPLETE", strict=True, **{**given, "hops": -1})
