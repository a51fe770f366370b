"""`route`: a tree in which every arrival is drawn once."""

from __future__ import annotations

from pathlib import Path

import lineage
from streams.cli.output.route_tree import CYCLE, DRAWN_ABOVE, RouteTree
from tests.lineage.events.builders import at, hop, message
from tests.streams.cli.runner import run


def steps(path: Path, message_id: str = "m1") -> list[tuple[int, str, str, str]]:
    with lineage.open(path, read_only=True) as store:
        relation = store.route(message_id)
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    return [
        (step.depth, step.arrival["hop_id"] or "SEND", step.arrival["dataset"], step.again)
        for step in RouteTree.of(rows).steps()
    ]


def test_fan_in_is_drawn_once_and_a_cycle_is_cut(db: Path) -> None:
    assert steps(db) == [
        (0, "SEND", "inbox", ""),
        (1, "h1", "raw", ""),
        (2, "h3", "wide", ""),
        (3, "h5", "raw", ""),
        (4, "h3", "wide", CYCLE),  # moved at the same instant as h5
        (3, "h6", "partner", ""),
        (1, "h2", "copy", ""),
        (2, "h4", "wide", ""),
        (3, "h5", "raw", DRAWN_ABOVE),
        (3, "h6", "partner", DRAWN_ABOVE),
    ]


def test_a_hop_of_many_inputs_is_below_each_of_them_but_drawn_once(tmp_path: Path) -> None:
    path = tmp_path / "fan.duckdb"
    events = [
        message("m1"),
        hop("a", "inbox", "parts", ["m1"], ["p1", "p2"], moved_at=at(1)),
        hop("b", "parts", "whole", ["p1", "p2"], ["w"], moved_at=at(2)),
    ]
    with lineage.open(path) as store:
        store.apply(events)
    assert steps(path) == [
        (0, "SEND", "inbox", ""),
        (1, "a", "parts", ""),
        (2, "b", "whole", ""),
        (1, "a", "parts", ""),
        (2, "b", "whole", DRAWN_ABOVE),
    ]


def test_the_tree_tells_dataset_instant_policy_consent_and_broken_rules(db: Path) -> None:
    ran = run("route", "m1", "--db", db)
    assert ran.code == 0
    lines = ran.out.splitlines()
    (start,) = [n for n, line in enumerate(lines) if "partner  p  " in line and "(" not in line]
    below = [line.lstrip("│ └├─").strip() for line in lines[start : start + 4]]
    assert below == [
        "partner  p  2024-09-18T00:03:00.000000Z",
        "EXPORT by job, hop h6 · identifiable · SINK, THIRD party Acme",
        "policy built-in (disclosed) · consent: AI training yes, third party yes · confidential",
        "✗ confidential-inmail-to-third-party",
    ]
    assert "\x1b" not in ran.out
    assert "undeclared dataset" in ran.out
    assert "sent (INMAIL)" in ran.out


def test_the_rows_are_those_of_the_store(db: Path) -> None:
    ran = run("route", "m1", "--db", db, "--json")
    with lineage.open(db, read_only=True) as store:
        relation = store.route("m1")
        assert list(ran.rows[0]) == relation.columns
        assert len(ran.rows) == len(relation.fetchall())
    assert ran.rows[0]["operation"] == "SEND"
    assert ran.rows[0]["arrived_at"] == "2024-09-18T00:00:00.000000Z"
    assert ran.rows[-1]["rules"] == ["confidential-inmail-to-third-party"]


def test_a_way_longer_than_any_terminal_is_cut_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "long.duckdb"
    chain = [
        hop(f"h{n:04}", f"d{n}" if n else "inbox", f"d{n + 1}", ["m1"], moved_at=at(1, n))
        for n in range(80)
    ]
    with lineage.open(path) as store:
        store.apply([message("m1"), *chain])
    ran = run("route", "m1", "--db", path)
    assert ran.code == 0
    assert "d59  m1" in ran.out
    assert "d60  m1" not in ran.out
    assert "21 further steps are left out; --json gives all" in ran.err
    assert len(run("route", "m1", "--db", path, "--json").rows) == 81


def test_an_unknown_message_is_bad_input(db: Path) -> None:
    for arguments in (["nope"], ["nope", "--json"], ["x" * 5000], [""], ["\x1b[2J"]):
        ran = run("route", *arguments, "--db", db)
        assert (ran.code, ran.out) == (2, "")
        assert "knows no message" in ran.err
        assert len(ran.err) < 400
        assert "\x1b" not in ran.err
