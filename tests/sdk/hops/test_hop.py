"""A block that moves records."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lineage_sdk
from lineage_sdk import BlockLimits, EventError, Hop, hop
from tests.properties import tried
from tests.sdk.jobs import Reported, reporting
from tests.stores import new_store

AT = datetime(2024, 9, 18, 7, 30, tzinfo=UTC)


def test_kept_and_derived_records(reported: Reported) -> None:
    before = datetime.now(UTC)
    with hop("crm.contacts", "warehouse.contacts", "TRANSFORM") as h:
        h.keep(["1", "2", "1"])
        h.derive(["3", "4"], ["34"])
        inside = datetime.now(UTC)
    kept, derived = reported.hops()
    assert (kept["inputs"], kept["outputs"]) == (["1", "2"], [])
    assert (derived["inputs"], derived["outputs"]) == (["3", "4"], ["34"])
    assert kept["source"] == "crm.contacts"
    assert kept["target"] == "warehouse.contacts"
    assert kept["operation"] == "TRANSFORM"
    assert kept["job"] == "a-job"
    assert kept["run_id"] == derived["run_id"]
    assert kept["hop_id"] < derived["hop_id"]
    assert before < inside < datetime.fromisoformat(kept["moved_at"]) < datetime.now(UTC)


def test_it_moves_when_it_says(reported: Reported) -> None:
    with hop("a", "b", moved_at=AT) as h:
        h.keep("1")
    with hop("a", "b", moved_at="2024-09-18T09:30:00+02:00") as h:
        h.keep("1")
    assert [one["moved_at"] for one in reported.hops()] == [
        "2024-09-18T07:30:00.000000Z",
        "2024-09-18T09:30:00+02:00",
    ]


def test_nothing_moved_is_no_hop(reported: Reported) -> None:
    with hop("a", "b") as h:
        h.keep([])
        h.derive(["1"], [])  # not: kept its id
        h.derive([], ["1"])
        h.pairs([])
    assert reported.hops() == []


def test_what_a_block_did_that_fails_is_not_reported(reported: Reported) -> None:
    def fails() -> None:
        with hop("a", "b") as h:
            h.keep(["1"])
            h.report()
            h.keep(["2"])
            raise KeyError("the job's own")

    with pytest.raises(KeyError, match="the job's own"):
        fails()
    # But for what it had stated before.
    assert reported.flows() == {("1", "1")}


@tried(30)
@given(pairs=st.sets(st.tuples(*[st.sampled_from("abcde")] * 2)))
def test_pairs_are_just_these(
    tmp_path_factory: pytest.TempPathFactory, pairs: set[tuple[str, str]]
) -> None:
    with reporting(tmp_path_factory.mktemp("pairs"), strict=True) as reported:
        with hop("a", "b") as h:
            h.pairs(sorted(pairs))
        assert reported.flows() == pairs


def test_a_large_hop_is_several_events(reported: Reported) -> None:
    inputs = [str(n) for n in range(25)]
    with hop("a", "b", limits=BlockLimits(ids=10)) as h:
        h.keep(inputs)
        h.derive(inputs, ["x", "y"])
    assert all(len(one["inputs"]) + len(one["outputs"]) <= 10 for one in reported.hops())
    wanted = {(one, one) for one in inputs} | {(one, other) for one in inputs for other in "xy"}
    assert reported.flows() == wanted


def test_what_is_larger_than_the_tracker_takes_is_cut_to_what_it_takes(
    reported: Reported,
) -> None:
    with hop("a", "b") as h:
        h.derive([f"i{n}" for n in range(3000)], [f"o{n}" for n in range(2000)])
    hops = reported.hops()
    assert sum(len(one["inputs"]) * len(one["outputs"]) for one in hops) == 6_000_000
    assert all(lineage_sdk.wrong(one) is None for one in hops)


def moved_with_a_key(ids: list[str]) -> None:
    with (
        lineage_sdk.run(key="2024-09-18"),
        hop("a", "b", key={"day": "2024-09-18"}, moved_at=AT, limits=BlockLimits(ids=4)) as h,
    ):
        h.keep(ids)
        h.derive(set(ids), ["x"])


def test_a_retry_with_a_key_changes_nothing(reported: Reported) -> None:
    ids = [f"id-{n}" for n in range(10)]
    moved_with_a_key(ids)
    moved_with_a_key(ids[::-1])
    hops = reported.hops()
    half = len(hops) // 2
    assert [one["hop_id"] for one in hops[:half]] == [one["hop_id"] for one in hops[half:]]
    assert len({one["hop_id"] for one in hops}) == half == 8
    # Its ids are in the order of time, as others are.
    assert hops[0]["hop_id"].startswith(f"{int(AT.timestamp() * 1000):012x}"[:8])
    with new_store() as store:
        store.apply(hops)
        (counts,) = store.sql(
            "SELECT (SELECT count(*) FROM hop), (SELECT count(*) FROM conflict)"
        ).fetchall()
    assert counts == (half, 0)


def test_another_key_is_another_hop(reported: Reported) -> None:
    keys: list[Any] = ["a", "b", ["a"], {"a": 1}, 2**63, 2**63 + 1, AT.date(), UUID(int=7)]
    for key in (*keys, *keys, None, None):
        with hop("a", "b", key=key, moved_at=AT) as h:
            h.keep("1")
    found = [one["hop_id"] for one in reported.hops()]
    assert found[:8] == found[8:16]
    assert len(set(found)) == 10


WRONG: dict[str, Callable[[Hop], None]] = {
    "an id that is null": lambda h: h.keep(["1", None]),
    "an id that is too long": lambda h: h.keep(["x" * 257]),
    "an empty id": lambda h: h.keep([""]),
    "no ids": lambda h: h.keep(None),
    "an output that is null": lambda h: h.derive(["1"], [None]),
    "rows of three": lambda h: h.pairs([("1", "2", "3")]),
    "columns of two lengths": lambda h: h.pairs(["1"], []),
}


def stated(wrong: Callable[[Hop], None]) -> None:
    with hop("a", "b") as h:
        wrong(h)
        h.keep("good")


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_id_is_raised_where_it_is_stated(reported: Reported, name: str) -> None:
    with pytest.raises(EventError):
        stated(WRONG[name])
    assert reported.hops() == []


@pytest.mark.parametrize("name", WRONG)
def test_in_production_it_is_counted_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with reporting(tmp_path) as reported, caplog.at_level(logging.WARNING, "lineage_sdk"):
        stated(WRONG[name])
        assert reported.flows() == {("good", "good")}
        assert lineage_sdk.counters().refused == 1
        assert "an event was refused: " in caplog.text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"operation": "MELT"}, "operation must be one of COPY"),
        ({"source": ""}, "source must be a non-empty string"),
        ({"moved_at": datetime(2024, 9, 18)}, "moved_at must be an instant"),
        ({"declassification": {"method": "x"}}, "declassification.k must be an integer"),
    ],
)
def test_a_wrong_hop_is_raised_where_it_is_made(
    reported: Reported, wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(EventError, match=sentence):
        hop(**{"source": "a", "target": "b", **wrong})
    assert reported.hops() == []


def test_disabled_it_does_nothing(tmp_path: Path) -> None:
    with reporting(tmp_path, disabled=True, strict=True):
        stated(WRONG["an empty id"])
        hop("a", "b", operation="MELT")
        assert lineage_sdk.emit({}) is True
    assert list(tmp_path.iterdir()) == []


def test_only_what_the_contract_names_is_written(reported: Reported) -> None:
    event = lineage_sdk.records_moved("a", "b", ["1"], declassification={"method": "x", "k": 5})
    event["text"] = event["declassification"]["text"] = "a private message"
    assert lineage_sdk.emit(event)
    (found,) = reported.hops()
    assert "private" not in str(found)
    assert found["declassification"] == {"method": "x", "k": 5}
