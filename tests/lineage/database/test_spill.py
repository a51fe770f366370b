"""What does not fit into memory lies beside the database, within bounds, and goes with it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lineage
from lineage.database.storage.spill import Spill
from tests.lineage.events.builders import message

ROOT = Path(__file__).parents[3]
# Sorted, it is larger than the memory.
LARGE = """
SELECT max(place) FROM (
    SELECT row_number() OVER (ORDER BY hash(i)) AS place, i::VARCHAR || '-{}' AS text
    FROM range({}) t(i)
) WHERE text <> ''
"""


def folders(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*.spill-*"))


@pytest.mark.slow
def test_a_question_larger_than_the_memory_is_answered_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    lineage.open(path).close()
    with lineage.open(path, read_only=True, memory_mib=200) as store:
        (folder,) = folders(path)
        question = LARGE.format("x" * 60, 3_000_000)
        assert store.sql(question).fetchall() == [(3_000_000,)]
        other = Spill(path)  # of another process
        assert len(folders(path)) == 2
        other.close()
        assert folders(path) == [folder]
    assert folders(path) == []
    assert [each.name for each in tmp_path.iterdir()] == ["l.duckdb"]


@pytest.mark.slow
def test_a_store_that_is_not_closed_leaves_nothing_either(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    code = "import lineage, sys; s = lineage.open(sys.argv[1]); s.sql('SELECT 1')"
    subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=True)
    assert folders(path) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_is_ended_by_a_signal_leaves_nothing_for_long(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "l.duckdb"
    with lineage.open(path) as store:
        store.apply([message("m")])
    question = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b"
    command = [sys.executable, "-m", "streams.cli", "sql", question, "--db", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as asking:
        wait_until(lambda: bool(folders(path)))
        time.sleep(0.5)  # so that the question has begun, more likely than not
        asking.send_signal(number)
        asking.communicate(timeout=60)
    if number == signal.SIGINT:
        assert asking.returncode == 130
        assert folders(path) == []
    else:
        assert len(folders(path)) == 1
        lineage.open(path, read_only=True).close()
        assert folders(path) == []


def wait_until(holds: object, seconds: float = 60) -> None:
    assert callable(holds)
    for _ in range(int(seconds / 0.05)):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def test_the_spill_is_bounded() -> None:
    with lineage.open(":memory:", memory_mib=2048) as store:
        cursor = store._connection.cursor()
        row = cursor.execute("SELECT current_setting('max_temp_directory_size')").fetchone()
        assert row == ("20.0 GiB",)


@pytest.mark.slow
def test_a_database_in_memory_has_its_folder_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with lineage.open(":memory:", memory_mib=200) as store:
        assert store.sql(LARGE.format("x" * 60, 3_000_000)).fetchall() == [(3_000_000,)]
        assert list(tmp_path.iterdir()) == []
        folder = store._spill.path
        assert folder is not None
        assert folder.exists()
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "nowhere" / "l.duckdb")
    assert spill.path is None
    spill.close()
