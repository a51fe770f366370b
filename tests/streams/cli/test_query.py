"""`flags`, `sql`, `digest`: questions to a database."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

import lineage
from tests.lineage.events.builders import at, declared, hop, message
from tests.streams.cli.runner import FLAGS, listed, run

ROOT = Path(__file__).parents[3]


def test_flags_are_one_json_object_a_line_in_order(db: Path) -> None:
    ran = run("flags", "--db", db, "--json")
    assert ran.code == 0
    assert ran.err == ""
    assert ran.rows == [listed(row) for row in FLAGS]
    assert list(ran.rows[0]) == list(listed(FLAGS[0]))
    assert '"first_at": "2024-09-18T00:03:00.000000Z"' in ran.out


def test_flags_as_csv_and_as_aligned_text_say_the_same(db: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("flags", "--db", db, "--csv").out)))
    assert rows == [
        {k: "" if v is None else str(v) for k, v in listed(row).items()} for row in FLAGS
    ]
    head, *lines = run("flags", "--db", db).out.splitlines()
    assert head.split() == list(listed(FLAGS[0]))
    assert [line.split() for line in lines] == [[v for v in row.values() if v] for row in rows]


@pytest.mark.parametrize(
    ("option", "value", "count"),
    [
        ("--rule", "confidential-inmail-to-third-party", 1),
        ("--dataset", "raw", 1),
        ("--message-id", "m1", 4),
        ("--message-id", "m2", 0),
        ("--severity", "HIGH", 3),
    ],
)
def test_flags_can_be_narrowed(db: Path, option: str, value: str, count: int) -> None:
    assert len(run("flags", "--db", db, "--json", option, value).rows) == count


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        (
            *("--rule", "confidential-inmail-to-thirdparty"),
            "no policy in the database has a rule 'confidential-inmail-to-thirdparty'; the nearest"
            " is 'confidential-inmail-to-third-party'",
        ),
        ("--rule", "no such rule", "no policy in the database has a rule 'no such rule'"),
        (
            *("--dataset", "Raw"),
            "no event in the database names a dataset 'Raw'; the nearest is 'raw'",
        ),
        ("--message-id", "M1", "no message in the database has the id 'M1'"),
        ("--message-id", "h1", "no message in the database has the id 'h1'"),
    ],
)
def test_a_name_that_is_not_known_is_no_answer(
    db: Path, option: str, value: str, said: str
) -> None:
    ran = run("flags", "--db", db, "--fail-on-flag", option, value)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip() == f"Error: {said}"


def test_fail_on_flag_looks_at_what_is_listed(db: Path) -> None:
    assert run("flags", "--db", db, "--fail-on-flag").code == 1
    assert run("flags", "--db", db, "--fail-on-flag", "--message-id", "m2").code == 0
    assert run("flags", "--db", db).code == 0


def test_an_id_cannot_write_over_the_terminal(tmp_path: Path) -> None:
    name = "evil\x1b[2J\u202e\n[red]x"
    path = tmp_path / "evil.duckdb"
    with lineage.open(path) as store:
        store.apply([message("m"), hop("h", "inbox", name, moved_at=at(1))])
    for arguments in (["flags"], ["route", "m"]):
        out = run(*arguments, "--db", path).out
        assert "evil\\x1b[2J\\u202e\\n[red]x" in out
        assert "\x1b" not in out
    assert run("flags", "--db", path, "--json").rows[0]["dataset"] == name


def test_sql_answers(db: Path) -> None:
    ran = run("sql", "SELECT message_id, channel FROM message ORDER BY 1", "--db", db, "--json")
    assert ran.rows == [
        {"message_id": "m1", "channel": "INMAIL"},
        {"message_id": "m2", "channel": "DIRECT"},
    ]
    assert run("sql", "-", "--db", db, "--csv", stdin="SELECT 1 AS one").out == "one\n1\n"
    assert run("sql", "SELECT 1 AS one", "--db", db).out == "one\n1\n"


def test_sql_gives_every_type_as_json(db: Path) -> None:
    query = """SELECT DATE '2024-09-18' AS d, TIMESTAMP '2024-09-18 01:02:03.5' AS t,
        TIMESTAMPTZ '2024-09-18 02:00:00+02' AS z, 1.50::DECIMAL(4, 2) AS n, 'nan'::FLOAT AS f,
        170141183460469231731687303715884105727 AS h, [1, NULL] AS l, {'x': DATE '2024-01-01'} AS s,
        '\\xFF'::BLOB AS b, INTERVAL 1 DAY AS i, TRUE AS y, NULL AS u,
        '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS id"""
    ran = run("sql", query, "--db", db, "--json")
    assert ran.rows == [
        {
            "d": "2024-09-18",
            "t": "2024-09-18T01:02:03.500000Z",
            "z": "2024-09-18T00:00:00.000000Z",
            "n": 1.5,
            "f": "nan",
            "h": 2**127 - 1,
            "l": [1, None],
            "s": {"x": "2024-01-01"},
            "b": "ff",
            "i": "1 day, 0:00:00",
            "y": True,
            "u": None,
            "id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        }
    ]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SELEC 1",
        "SELECT",
        "SELECT 1; SELECT 2",
        "DROP VIEW flag",
        "DELETE FROM core.flag",
        "SELECT * FROM nope",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY (SELECT 1) TO '/nope.csv'",
        "ATTACH '/nope.db'",
        "INSTALL httpfs",
        "SET memory_limit = '1GB'",
        "SELECT CAST('a' AS INTEGER)",
        "SELECT ?",
        "SELECT '\x00",
    ],
)
def test_sql_says_in_a_sentence_what_it_cannot_answer(db: Path, query: str) -> None:
    ran = run("sql", query, "--db", db)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("Error: ")
    assert len(ran.err.splitlines()) == 1


ENDLESS = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b"


@pytest.mark.slow
def test_sql_ends_at_its_limit_of_time(db: Path) -> None:
    ran = run("sql", ENDLESS, "--db", db, "--timeout", "0.3")
    assert (ran.code, ran.out) == (2, "")
    assert "ended at the limit of 0.3 s" in ran.err
    assert "--timeout" in ran.err


@pytest.mark.slow
def test_sql_writes_an_answer_of_any_size_as_it_comes(db: Path) -> None:
    question = "SELECT i, repeat('x', 200) AS text FROM range({}) t(i)"
    peak = "import resource; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    code = f"import subprocess, sys; subprocess.run(sys.argv[1:], stdout=-3, check=True); {peak}"
    peaks = []
    for rows in (1_000, 300_000):
        command = [sys.executable, "-c", code, sys.executable, "-m", "streams.cli", "sql"]
        command += [question.format(rows), "--json", "--db", str(db)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        peaks.append(int(ran.stdout) * 1024)
    assert peaks[1] - peaks[0] < 50_000_000  # of 60 MB of text, and more as objects of Python


@pytest.mark.slow
def test_sql_is_ended_by_the_system_where_duckdb_does_not_count(db: Path) -> None:
    """A function's memory beside DuckDB's ends in an error, and never in a kill."""
    doubling = "WITH RECURSIVE r AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM r) FROM r"
    command = [sys.executable, "-m", "streams.cli", "sql", f"SELECT length(s) FROM ({doubling})"]
    ran = subprocess.run(
        [*command, "--db", str(db)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("Error: ")
    assert len(ran.stderr.splitlines()) == 1


def test_json_and_csv_exclude_each_other(db: Path) -> None:
    for command in (["flags"], ["sql", "SELECT 1"]):
        ran = run(*command, "--db", db, "--json", "--csv")
        assert (ran.code, ran.out) == (2, "")
        assert "exclude each other" in ran.err


def test_digest_is_the_digest_of_the_store(db: Path) -> None:
    with lineage.open(db, read_only=True) as store:
        expected = store.digest()
    assert run("digest", "--db", db).out == expected + "\n"
    assert run("digest", "--db", db, "--json").rows == [{"digest": expected}]


def test_the_database_can_be_named_in_the_environment(db: Path) -> None:
    assert run("digest", env={"LINEAGE_DB": str(db)}).code == 0


@pytest.mark.parametrize(
    "command", [["flags"], ["sql", "SELECT 1"], ["digest"], ["route", "m1"]], ids=" ".join
)
def test_what_is_no_database_is_not_available(command: list[str], tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no database\n" * 1000)
    for path in (tmp_path / "missing", tmp_path, text):
        ran = run(*command, "--db", path)
        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith("Error: ")
        assert str(path) in ran.err
    ran = run(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "--db" in ran.err


def test_a_late_declaration_shows_in_the_next_answer(db: Path) -> None:
    with lineage.open(db) as store:
        store.apply([declared("d3", "copy")])
    rows = run("flags", "--db", db, "--json").rows
    assert [row["dataset"] for row in rows] == ["partner", "raw", "wide"]
