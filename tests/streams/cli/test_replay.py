"""`simulate`, `replay` and `check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lineage.events.builders import declared
from tests.streams.cli.runner import EVENTS, FLAGS, flag, run, write_log


def test_replay_tells_what_it_came_to(log: Path, tmp_path: Path) -> None:
    bad = write_log(tmp_path / "bad.jsonl", [{"event": "Nonsense"}, EVENTS[0]])
    ran = run("replay", log, bad, "--db", tmp_path / "new.duckdb", "--json")
    assert ran.code == 0
    assert ran.err.startswith("1 dead letters: not everything could be read")
    (summary,) = ran.rows
    assert summary["events"] == len(EVENTS)
    assert summary["arrivals"] == 12
    assert summary["dead_letters"] == 1
    assert summary["flags"] == len(FLAGS)
    assert summary["seconds"] > 0
    assert {"rule": FLAGS[0][0], "dataset": "partner", "flags": 1} in summary[
        "flags_by_rule_and_dataset"
    ]


def test_replay_for_people(log: Path, tmp_path: Path) -> None:
    out = run("replay", log, "--db", tmp_path / "new.duckdb").out
    lines = [line.split() for line in out.splitlines()]
    assert ["events", "10"] in lines
    assert ["dead", "letters", "0"] in lines
    assert ["confidential-inmail-to-third-party", "partner", "1"] in lines


@pytest.mark.slow
def test_replay_twice_in_other_batches_changes_nothing(log: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once.duckdb", tmp_path / "twice.duckdb"
    run("replay", log, "--db", once)
    for size in (1, 3):
        assert run("replay", log, "--db", twice, "--batch-events", size).code == 0
    assert run("digest", "--db", once).out == run("digest", "--db", twice).out


def test_replay_fails_on_flags_of_the_database(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    assert run("replay", log, "--db", path, "--fail-on-flag").code == 1
    assert run("replay", log, "--db", path).code == 0
    quiet = write_log(tmp_path / "quiet.jsonl", EVENTS[1:3])
    assert run("replay", quiet, "--db", tmp_path / "quiet.duckdb", "--fail-on-flag").code == 0


def test_replay_fails_on_dead_letters(log: Path, tmp_path: Path) -> None:
    bad = write_log(tmp_path / "bad.jsonl", [{"event": "Nonsense"}])
    path = tmp_path / "new.duckdb"
    assert run("replay", log, "--db", path, "--fail-on-dead-letter").code == 0
    ran = run("replay", bad, "--db", path, "--fail-on-dead-letter")
    assert (ran.code, ran.err[:15]) == (1, "1 dead letters:")


@pytest.mark.parametrize(
    "name", ["missing.jsonl", "events.txt", "broken.jsonl.gz", "broken.avro", "empty"]
)
def test_replay_says_which_path_is_no_event_log(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "empty":
        path.mkdir()
    elif not name.startswith("missing"):
        path.write_text("nothing of the kind")
    ran = run("replay", path, "--db", tmp_path / "new.duckdb")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")
    assert name in ran.err
    assert not (tmp_path / "new.duckdb").exists() or "broken" in name


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "x.jsonl"],
        ["replay", "x.jsonl", "--db", "y", "--batch-events", "0"],
        ["replay", "x.jsonl", "--db", "y", "--batch-events", "many"],
        ["replay", "x.jsonl", "--db", "y", "--nope"],
        ["simulate"],
        ["simulate", "--out", "x", "--messages", "0"],
        ["simulate", "--out", "x", "--format", "xml"],
        ["simulate", "--out", "x", "--mix", "none"],
        ["check", "x"],
        ["nope"],
    ],
    ids=" ".join,
)
def test_bad_usage(arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: " in ran.err


@pytest.mark.parametrize("format_", ["avro", "jsonl"])
@pytest.mark.slow
def test_simulate_replay_check(format_: str, tmp_path: Path) -> None:
    out, path = tmp_path / "log", tmp_path / "new.duckdb"
    ran = run(
        "simulate", "--messages", 500, "--seed", 7, "--out", out, "--format", format_, "--json"
    )
    assert ran.code == 0, ran.err
    (made,) = ran.rows
    assert made["messages"] == 500
    assert made["flags"] > 0
    (replayed,) = run("replay", out, "--db", path, "--json").rows
    assert replayed["flags"] == made["flags"]
    assert replayed["arrivals"] == made["arrivals"]
    (checked,) = run("check", out, "--db", path, "--json").rows
    assert (checked["precision"], checked["recall"]) == (1.0, 1.0)
    assert run("check", out, "--db", path).code == 0


def test_simulate_wants_a_folder_of_its_own(log: Path) -> None:
    ran = run("simulate", "--messages", 10, "--out", log)
    assert (ran.code, ran.out) == (2, "")
    assert "not empty" in ran.err
    assert run("simulate", "--out", log / "events.jsonl").code == 2


def test_simulate_says_where_a_graph_is_wrong(tmp_path: Path) -> None:
    graph = tmp_path / "graph.tsv"
    graph.write_text("1 2 1 1082040961\nonly text\n")
    ran = run("simulate", "--out", tmp_path / "log", "--graph", graph)
    assert ran.code == 2
    assert "line 2" in ran.err
    assert run("simulate", "--out", tmp_path / "log2", "--graph", tmp_path / "nope").code == 2


def test_check_finds_nothing_where_all_is_as_expected(log: Path, db: Path) -> None:
    for path in (log, log / "events.jsonl", log / "expected-flags.jsonl"):
        ran = run("check", path, "--db", db, "--json")
        assert ran.code == 0
        assert ran.rows == [
            {
                "expected": 4,
                "found": 4,
                "missing": 0,
                "unexpected": 0,
                "different": 0,
                "precision": 1.0,
                "recall": 1.0,
                "differences": [],
            }
        ]
    assert "precision" in run("check", log, "--db", db).out


def test_check_finds_the_expected_flags_beside_the_folder(log: Path, db: Path) -> None:
    inner = log / "parts"
    inner.mkdir()
    assert run("check", inner, "--db", db).code == 0


def test_check_takes_any_spelling_of_an_instant(log: Path, db: Path) -> None:
    rows = [
        {**flag(row), "first_at": str(flag(row)["first_at"]).replace(".000000Z", "+00:00")}
        for row in FLAGS
    ]
    write_log(log / "expected-flags.jsonl", rows)
    assert run("check", log, "--db", db).code == 0


def test_check_takes_what_flags_writes(log: Path, db: Path) -> None:
    listed = run("flags", "--db", db, "--json").out
    (log / "expected-flags.jsonl").write_text(listed)
    assert run("check", log, "--db", db).code == 0


def test_check_says_what_differs(log: Path, db: Path) -> None:
    expected = [flag(row) for row in FLAGS]
    expected[0]["severity"] = "LOW"
    expected[0]["first_hop"] = None
    expected[1]["dataset"] = "elsewhere"
    write_log(log / "expected-flags.jsonl", expected)
    ran = run("check", log, "--db", db, "--json")
    assert ran.code == 1
    (found,) = ran.rows
    assert (found["missing"], found["unexpected"], found["different"]) == (1, 1, 1)
    assert (found["precision"], found["recall"]) == (0.75, 0.75)
    key = {"rule": FLAGS[1][0], "message_id": "m1"}
    assert found["differences"] == [
        {"difference": "missing", **key, "dataset": "elsewhere", "columns": {}},
        {"difference": "unexpected", **key, "dataset": "copy", "columns": {}},
        {
            "difference": "different",
            "rule": FLAGS[0][0],
            "message_id": "m1",
            "dataset": "partner",
            "columns": {"severity": ["LOW", "CRITICAL"], "first_hop": [None, "h6"]},
        },
    ]
    ran = run("check", log, "--db", db, "--limit", 1)
    assert ran.code == 1
    assert "elsewhere" in ran.out
    assert "partner" not in ran.out
    assert "1 of 3 differences" in ran.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "columns of flag"),
        ("[]", "columns of flag"),
        ("[" * 100_000, "columns of flag"),
        (json.dumps({**flag(FLAGS[0]), "more": 1}), "columns of flag"),
        (json.dumps({**flag(FLAGS[0]), "rule": None}), "must be strings"),
        (json.dumps({**flag(FLAGS[0]), "first_at": "yesterday"}), "first_at must be an instant"),
        (json.dumps(flag(FLAGS[0])), "an earlier line has the same flag"),
    ],
    ids=lambda value: value[:12],
)
def test_check_says_which_line_of_the_expected_flags_is_wrong(
    log: Path, db: Path, line: str, said: str
) -> None:
    path = log / "expected-flags.jsonl"
    path.write_text(json.dumps(flag(FLAGS[0])) + "\n" + line + "\n")
    ran = run("check", log, "--db", db)
    assert (ran.code, ran.out) == (2, "")
    assert f"{path}, line 2: " in ran.err
    assert said in ran.err


def test_check_needs_expected_flags(tmp_path: Path, db: Path) -> None:
    events = write_log(tmp_path / "events.jsonl", [declared("d", "x")])
    for path in (events, tmp_path, tmp_path / "missing"):
        ran = run("check", path, "--db", db)
        assert (ran.code, ran.out) == (2, "")
        assert str(path) in ran.err
