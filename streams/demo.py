"""Runs `make demo`: the main job from end to end on the embedded default, each command shown."""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import lineage
from lineage import Store

RULE = "confidential-inmail-to-third-party"

_WHERE_FLAGS_ARE = (
    "SELECT severity, rule, dataset, count(*) AS flags, min(first_at) AS first_at "
    "FROM flag GROUP BY ALL ORDER BY severity, rule, dataset"
)


def main() -> int:
    """Run the demo; the exit code of the command that failed, or of the last one."""
    parser = argparse.ArgumentParser(prog="python -m streams.demo", description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path("demo"), help="where to put its files")
    parser.add_argument("--messages", type=int, default=100_000)
    asked = parser.parse_args()
    log, db = asked.dir / "log", asked.dir / "lineage.duckdb"
    asked.dir.mkdir(parents=True, exist_ok=True)
    for old in (db, Path(f"{db}.wal")):
        old.unlink(missing_ok=True)
    shutil.rmtree(log, ignore_errors=True)

    simulate = ["simulate", "--messages", str(asked.messages), "--seed", "1", "--out", str(log)]
    if code := _run("A company's messages, with planted leaks:", *simulate, quiet=True):
        return code
    if code := _run("Trace them all:", "replay", str(log), "--db", str(db)):
        return code
    if code := _run("What leaked, by rule and sink:", "sql", _WHERE_FLAGS_ARE, "--db", str(db)):
        return code
    with lineage.open(db, read_only=True) as store:
        leaked = _longest_way(store)
    if code := _run("The way of one leaked InMail:", "route", leaked, "--db", str(db)):
        return code
    code = _run("Was everything found, and nothing else?", "check", str(log), "--db", str(db))
    _say_what_next(db, leaked)
    return code


def _run(title: str, *arguments: str, quiet: bool = False) -> int:
    """Show and run a `lineage` command; its exit code. `quiet`: without what it writes."""
    shown = " ".join(shlex.quote(" ".join(argument.split())) for argument in arguments)
    print(f"\n{title}\n$ lineage {shown}", flush=True)
    command = [sys.executable, "-m", "streams.cli", *arguments]
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, stdout=output, check=False).returncode  # noqa: S603 -- our own command


def _longest_way(store: Store) -> str:
    """Return the leaked InMail that took the most hops on its way to a third party."""
    row = store.sql(
        "SELECT f.message_id FROM flag f JOIN arrival a USING (message_id) "
        "WHERE f.rule = $rule GROUP BY ALL ORDER BY count(*) DESC, f.message_id LIMIT 1",
        {"rule": RULE},
    ).fetchone()
    if row is None:
        raise SystemExit("the demo's log holds no leak; that is a defect")
    return str(row[0])


def _say_what_next(db: Path, leaked: str) -> None:
    print(
        f"""
Now try, with .venv/bin on your PATH:
  lineage flags --db {db} --rule {RULE}
  lineage sql "FROM downstream('messaging.messages', '{leaked}')" --db {db}
  lineage sql "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal" --db {db}
  lineage digest --db {db}
Live, on a Kafka of its own (Java 17 and Maven): lineage broker, publish and worker (README.md).
Questions in SQL: docs/auditing.md. All commands: docs/commands.md."""  # noqa: S608 -- text for a person to copy
    )


if __name__ == "__main__":
    sys.exit(main())
