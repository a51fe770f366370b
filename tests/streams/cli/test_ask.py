"""`ask`, and the ways in which rows are written: parameters, columns, a line a value."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lineage.audit.questions.saved_questions import saved_question, saved_questions
from tests.streams.cli.runner import run

ROOT = Path(__file__).parents[3]


def test_without_a_name_the_questions_are_listed_and_no_database_is_needed() -> None:
    rows = run("ask", "--json").rows
    assert [row["question"] for row in rows] == list(saved_questions())
    (one,) = [row for row in rows if row["question"] == "recipient-holdings"]
    assert one["parameters"] == "recipient [role]"


def test_an_answer_comes_in_all_formats(db: Path) -> None:
    asked = ("ask", "message-third-parties", "--param", "message=m1", "--db", db)
    (row,) = run(*asked, "--json").rows
    assert (row["recipient"], row["dataset"], row["hop_id"]) == ("Acme", "partner", "h6")
    chosen = ("--columns", "hop_id, recipient")
    assert run(*asked, "--csv", *chosen).out == "hop_id,recipient\nh6,Acme\n"
    assert run(*asked, *chosen).out == "hop_id  recipient\nh6      Acme\n"
    assert run(*asked, *chosen, "--vertical").out == (
        "-- 1 --------------------\nhop_id     h6\nrecipient  Acme\n"
    )


def test_the_question_itself_can_be_seen() -> None:
    ran = run("ask", "rule-days", "--show")
    assert ran.out == saved_question("rule-days").sql


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "recipient"], "there is no question 'recipient'; did you mean recipients?"),
        (["ask", "rule-days"], "rule-days needs a value for rule"),
        (["ask", "recipients"], "which database? Give --db FILE, or LINEAGE_DB"),
        (["ask", "rule-days", "--param", "rule"], "--param is NAME=VALUE, each name once"),
        (["ask", "--columns", "nope"], "the answer has no column nope; it has question, par"),
        (["ask", "--vertical", "--json"], "--vertical and --json exclude each other"),
        (
            ["ask", "rule-days", "--param", "rule=a", "--param", "rule=b"],
            "--param is NAME=VALUE, each name once, and not 'rule=b'",
        ),
    ],
)
def test_what_is_wrong_is_told(arguments: list[str], said: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert said in ran.err


def test_sql_takes_parameters_by_name(db: Path) -> None:
    query = "SELECT dataset FROM flag WHERE rule = $rule AND arrivals >= CAST($least AS INTEGER)"
    rule = "rule=confidential-inmail-to-undeclared-dataset"
    ran = run("sql", query, "--db", db, "--json", "--param", rule, "--param", "$least=2")
    assert sorted(row["dataset"] for row in ran.rows) == ["raw", "wide"]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "vertical"), [(80, True), (250, False)])
def test_a_terminal_narrower_than_the_rows_gets_a_line_a_value(
    db: Path, width: int, vertical: bool
) -> None:
    there, here = pty.openpty()
    command = [sys.executable, "-m", "streams.cli", "flags", "--db", str(db)]
    environment = {**os.environ, "COLUMNS": str(width), "TERM": "xterm"}
    subprocess.run(command, stdout=here, env=environment, cwd=ROOT, check=True)
    os.close(here)
    shown = b""
    while True:
        try:
            part = os.read(there, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(there)
    lines = shown.decode().replace("\r", "").splitlines()
    whole = "rule        confidential-inmail-to-third-party"
    assert (whole in lines) is vertical
    assert any("h6" in line and "partner" in line for line in lines) is not vertical
