"""`dlq list` of a database, and what the two commands refuse; on Kafka they are with the worker."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineage
from tests.streams.cli.runner import run, write_log


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """A database with dead letters of two files."""
    write_log(tmp_path / "a.jsonl", [{"event": "Nonsense"}, [1], {"event": "FlagRaised"}, [1]])
    (tmp_path / "b.jsonl").write_text("{\n" + '{"a" 1}\n' + '{"event" 1}\n')
    db = tmp_path / "letters.duckdb"
    with lineage.open(db) as store:
        store.replay(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    return db


def test_dead_letters_of_a_database_are_counted_by_reason(letters: Path, tmp_path: Path) -> None:
    rows = run("dlq", "list", "--db", letters, "--json").rows
    assert [row["letters"] for row in rows] == [2, 2, 1, 1, 1]
    assert {tuple(row) for row in rows} == {("source", "reason", "letters")}
    assert (rows[0]["source"], rows[0]["reason"]) == (
        str(tmp_path / "a.jsonl"),
        'must be an object with "event", not an array',
    )
    # In what differs from one to the other there is no number.
    assert rows[1]["source"] == str(tmp_path / "b.jsonl")
    assert rows[1]["reason"].endswith("line N column N (char N)")


def test_dead_letters_are_selected_and_listed_one_by_one(letters: Path, tmp_path: Path) -> None:
    each = run("dlq", "list", "--db", letters, "--each", "--json", "--reason", "AN ARRAY").rows
    assert [(row["source"], row["position"]) for row in each] == [
        (str(tmp_path / "a.jsonl"), 2),
        (str(tmp_path / "a.jsonl"), 4),
    ]
    assert len(each[0]["sha256"]) == 64
    assert (
        len(
            run(
                "dlq", "list", "--db", letters, "--each", "--json", "--source", tmp_path / "b.jsonl"
            ).rows
        )
        == 3
    )
    of_numbers = run("dlq", "list", "--db", letters, "--json", "--reason", "(char N)").rows
    assert sum(row["letters"] for row in of_numbers) == 3
    missing = run("dlq", "list", "--db", letters, "--source", "c.jsonl")
    assert missing.code == 2
    assert "no dead letter is of this source and reason" in missing.err
    assert run("dlq", "list", "--db", letters, "--fail-on-dead-letter").code == 1


def test_no_dead_letters_are_no_rows_and_no_error(db: Path) -> None:
    ran = run("dlq", "list", "--db", db, "--json", "--fail-on-dead-letter")
    assert (ran.code, ran.out) == (0, "")


def test_a_topic_or_a_database_must_be_named() -> None:
    ran = run("dlq", "list", env={"LINEAGE_BOOTSTRAP": ""})
    assert ran.code == 2
    assert "--bootstrap" in ran.err
    assert "--db" in ran.err
    assert run("dlq", "replay", env={"LINEAGE_BOOTSTRAP": ""}).code == 2


@pytest.mark.slow
@pytest.mark.parametrize("command", ["list", "replay"])
def test_a_broker_that_is_away_is_said(command: str) -> None:
    ran = run("dlq", command, "--bootstrap", "127.0.0.1:1")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("Error: no Kafka broker at 127.0.0.1:1")
