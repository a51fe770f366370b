"""`doctor --db`, `backup` and `digest --note`: a database is checked, and copied."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest

import lineage
from tests.disks import disk, killed
from tests.lineage.events.builders import message
from tests.streams.cli.runner import run, write_log

pytestmark = pytest.mark.slow  # a check of the whole file each


def test_a_sound_database_is_said_to_be_so(db: Path) -> None:
    before = db.read_bytes()
    ran = run("doctor", "--db", db, "--all", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert {row["status"] for row in ran.rows} == {"ok"}
    found = {row["check"]: row["found"] for row in ran.rows}
    assert found["arrivals"] == "all 2 messages: 12 arrivals"
    assert found["flags"] == "all 2 messages: 4 flags"
    assert "`lineage digest --note`" in found["digest note"]
    assert db.read_bytes() == before


def test_a_sample_says_how_it_was_chosen_and_can_be_chosen_again(db: Path) -> None:
    told = [run("doctor", "--db", db, "--messages", 1).out for _ in range(2)]
    seeds = [re.search(r"1 messages by the seed (\d+): ", each) for each in told]
    assert seeds[0] is not None
    assert seeds[1] is not None
    assert seeds[0][1] != seeds[1][1]
    assert run("doctor", "--db", db, "--messages", 1, "--seed", seeds[0][1]).out == told[0]


def test_what_is_wrong_is_said_with_what_to_do(db: Path) -> None:
    with duckdb.connect(str(db)) as connection:
        connection.execute("UPDATE core.arrival SET arrived_at = arrived_at - INTERVAL 1 HOUR")
    ran = run("doctor", "--db", db, "--all", "--json")
    assert ran.code == 1
    wrong = [row for row in ran.rows if row["status"] == "WRONG"]
    problems = next(row for row in wrong if row["check"] == "arrivals")["problems"]
    assert any("message m1 in " in one and "another arrived_at" in one for one in problems)
    assert "into a new database" in wrong[0]["advice"]
    text = run("doctor", "--db", db, "--all")
    assert "WRONG" in text.out
    assert "checks found something" in text.err


def test_damaged_blocks_are_told_and_nothing_else_is_asked(db: Path) -> None:
    content = bytearray(db.read_bytes())
    for place in range(12_288 + 30_000, len(content), 65_536):
        content[place] ^= 1
    db.write_bytes(content)
    ran = run("doctor", "--db", db, "--json")
    assert (ran.code, ran.rows and len(ran.rows)) in ((1, 1), (3, []))
    assert "Corrupt database file" in ran.out + ran.err


@pytest.mark.parametrize("kind", ["missing", "folder", "text"])
def test_what_cannot_be_opened_ends_with_3(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    if kind == "text":
        path.write_text("no database at all")
    ran = run("doctor", "--db", path)
    assert (ran.code, ran.out) == (3, "")
    assert str(path) in ran.err


def test_a_digest_that_was_noted_is_compared(db: Path) -> None:
    noted = run("digest", "--db", db, "--note").out
    assert run("digest", "--db", db).out == noted
    assert run("doctor", "--db", db).code == 0
    with duckdb.connect(str(db)) as connection:
        connection.execute("UPDATE core.hop SET job = 'another' WHERE rowid = 0")
    ran = run("doctor", "--db", db, "--json")
    assert ran.code == 1
    assert ran.rows[-1]["problems"] == ["core.hop has other content than when noted"]
    problems = run("doctor", "--db", db, "--all", "--json").rows[-1]["problems"]
    assert f"and was {noted.strip()} when noted" in problems[-1]


def test_a_backup_is_the_same_database(db: Path, tmp_path: Path) -> None:
    to = tmp_path / "copy.duckdb"
    ran = run("backup", "--db", db, "--to", to, "--verify", "--json")
    assert ran.code == 0
    (made,) = ran.rows
    assert made == {
        "copy": str(to),
        "bytes": to.stat().st_size,
        "digest": run("digest", "--db", db).out.strip(),
    }
    again = run("backup", "--db", db, "--to", to)
    assert (again.code, again.out) == (2, "")
    assert "is there already" in again.err
    assert run("doctor", "--db", to, "--all").code == 0
    assert run("backup", "--db", tmp_path / "none", "--to", tmp_path / "x").code == 3


def test_a_backup_without_options_says_where_it_is(db: Path, tmp_path: Path) -> None:
    to = tmp_path / "copy.duckdb"
    assert run("backup", "--db", db, "--to", to).out.startswith(f"{to}: ")


def test_replay_says_where_the_database_stands(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    told = []
    for _ in range(2):
        (summary,) = run("replay", log, "--db", path, "--json").rows
        told.append([summary[name] for name in ("events", "events_before", "events_after")])
    assert told == [[10, 0, 10], [0, 10, 10]]


@pytest.mark.slow
def test_a_log_that_was_cut_is_told_by_replay_and_doctor(log: Path, tmp_path: Path) -> None:
    path = killed(tmp_path / "l.duckdb", 3)
    wal = path.with_name("l.duckdb.wal")
    wal.write_bytes(wal.read_bytes()[:-3])
    copy = tmp_path / "copy.duckdb"
    shutil.copy(path, copy)
    shutil.copy(wal, tmp_path / "copy.duckdb.wal")
    for ran in (run("doctor", "--db", path), run("replay", log, "--db", copy)):
        assert ran.code == 0
        assert "no whole transaction" in ran.err


def test_a_full_disk_ends_a_replay_and_the_next_completes_it(tmp_path: Path) -> None:
    events = [message(f"m{number}") for number in range(3_000)]
    log = write_log(tmp_path / "events.jsonl", events)
    with disk(tmp_path / "small", "700k") as small:
        path = small.folder / "l.duckdb"
        ran = run("replay", log, "--db", path, "--batch-events", 300)
        assert (ran.code, ran.out) == (3, "")
        assert "No space left on device; what was recorded before is safe; make room" in ran.err
        small.remount("size=50m")
        (summary,) = run("replay", log, "--db", path, "--json").rows
        assert 0 < summary["events_before"] < summary["events_after"] == 3_000
        assert run("doctor", "--db", path, "--all").code == 0
        with lineage.open(path, read_only=True) as store, lineage.open(":memory:") as other:
            other.apply(events)
            assert store.digest() == other.digest()
