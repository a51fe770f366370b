"""`whatif`: the command."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.lineage.events.builders import document
from tests.streams.cli.runner import FLAGS, flag, run
from tests.streams.serve.serving import holder

# One rule as it stands, and one that is new; the other rules of the built-in policy are gone.
DOCUMENT = document(
    [
        ("confidential-inmail-to-third-party", "CRITICAL", "confidential and party = 'THIRD'"),
        ("direct-message-outside", "LOW", "channel = 'DIRECT' and dataset = 'raw'"),
    ]
)
COUNTS = [
    ("confidential-inmail-to-third-party", "partner", 0, 0, 1),
    *(("confidential-inmail-to-undeclared-dataset", row[2], 0, 1, 0) for row in FLAGS[1:]),
    ("direct-message-outside", "raw", 1, 0, 0),
]
COLUMNS = ("rule", "dataset", "new", "gone", "same")


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(DOCUMENT)
    return path


def test_flags_are_counted_by_rule_and_dataset(db: Path, policy: Path) -> None:
    named = [dict(zip(COLUMNS, row, strict=True)) for row in COUNTS]
    ran = run("whatif", "--policy", policy, "--db", db, "--json")
    assert (ran.code, ran.err, ran.rows) == (0, "", named)
    table = csv.DictReader(io.StringIO(run("whatif", "--policy", policy, "--db", db, "--csv").out))
    assert list(table) == [{name: str(value) for name, value in row.items()} for row in named]


def test_each_flag_that_changes_is_listed(db: Path, policy: Path) -> None:
    rows = run("whatif", "--policy", policy, "--db", db, "--flags", "--json").rows
    assert [row for row in rows if row["change"] == "GONE"] == [
        {"change": "GONE", **flag(row)} for row in FLAGS[1:]
    ]
    (new,) = [row for row in rows if row["change"] == "NEW"]
    assert (new["rule"], new["message_id"], new["policy_id"]) == (
        *("direct-message-outside", "m2"),
        None,
    )


def test_the_document_holds_for_a_time(db: Path, policy: Path) -> None:
    ran = run("whatif", "--policy", policy, "--db", db, "--json", "--to", "2024-09-18")
    assert {(row["new"], row["gone"]) for row in ran.rows} == {(0, 0)}


def test_a_worker_is_asked_where_it_holds_the_database(db: Path, policy: Path) -> None:
    command = ("whatif", "--policy", policy, "--db", db)
    before = [run(*command).out, run(*command, "--flags").out]
    with holder(db):
        assert [run(*command).out, run(*command, "--flags").out] == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "a policy document is UTF-8"),
        (b"rules: []", "the document must also have"),
        (b"paying_tiers: []\nai_training_exempt_regions: []\ndeclassification: []\nrules: [{}]",
         "rules[0] must also have"),
        (None, "No such file"),
    ],
)  # fmt: skip
def test_a_document_that_is_none_is_told(
    db: Path, policy: Path, content: bytes | None, said: str
) -> None:
    if content is None:
        policy.unlink()
    else:
        policy.write_bytes(content)
    ran = run("whatif", "--policy", policy, "--db", db)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"Error: {policy}: ")
    assert said in ran.err
