"""Commands on a machine of 64 processors stay within the memory that they are given."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from streams.simulate import simulate

pytestmark = pytest.mark.slow

MESSAGES = 40_000
PROCESSORS = 64
# A process without a database takes some 150 MiB, DuckDB at most its limit, and some beside it.
PEAK_MIB = 1024 + 300
# The command as on such a machine: DuckDB counts its processors, and we do. The last line on stderr
# is the number of threads of the database, and the peak of the process in KiB.
PROGRAM = f"""
import sys
from pathlib import Path
import lineage.database.connection as connection
from streams.cli.app import main
connection._CONFIG = {{**connection._CONFIG, "threads": "{PROCESSORS}"}}
connection.processors = lambda: {PROCESSORS}
threads = []
opened = connection.connect
def noted(*args, **options):
    found = opened(*args, **options)
    threads.append(found.execute("SELECT current_setting('threads')").fetchone()[0])
    return found
import lineage.store.reader as reader
reader.connect = noted
try:
    main()
finally:
    # Not getrusage's, which begins with the peak of the process that this one was forked from.
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    print(*threads, peak, file=sys.stderr)
"""
AGGREGATE = "SELECT dataset, count(*) FROM fact GROUP BY ALL"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log") / "log"
    simulate(MESSAGES, seed=2, out=folder)
    return folder


@pytest.fixture(scope="module")
def database(log: Path) -> Path:
    path = log.parent / "l.duckdb"
    run("replay", str(log), "--db", str(path))
    return path


def run(*arguments: str) -> tuple[str, int, float]:
    """The answer of a command, the threads of its database, its peak in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    threads, peak = done.stderr.splitlines()[-1].split()
    return done.stdout, int(threads), int(peak) / 1024


@pytest.mark.parametrize(
    "command",
    [
        ["digest"],
        ["flags"],
        ["check", "LOG"],
        ["sql", AGGREGATE],
        [
            "sql",
            "SELECT count(*) FROM hop JOIN hop_record USING (hop_id) JOIN arrival USING (hop_id)",
        ],
        ["route", "MESSAGE"],
    ],
    ids=lambda command: " ".join(command)[:30],
)
def test_reading_commands(database: Path, log: Path, command: list[str]) -> None:
    if "MESSAGE" in command:
        first = run("flags", "--json", "--db", str(database))[0].splitlines()[0]
        command = ["route", json.loads(first)["message_id"]]
    given = [str(log) if word == "LOG" else word for word in command]
    answer, threads, peak = run(*given, "--db", str(database))
    assert answer
    assert threads == 8  # 1 GiB has room for no more
    assert peak < PEAK_MIB


def test_recording_takes_one_thread_on_any_machine(log: Path, tmp_path: Path) -> None:
    _, threads, peak = run("replay", str(log), "--db", str(tmp_path / "l.duckdb"))
    assert threads == 1
    assert peak < PEAK_MIB
