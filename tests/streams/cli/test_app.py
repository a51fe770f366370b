"""The command as a whole: quick help, exit codes, documentation, signals, terminals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

import streams.cli.commands.questions.flags
from streams.cli import cli
from streams.cli.reference import reference
from tests.streams.cli.runner import run

ROOT = Path(__file__).parents[3]
LINEAGE = [sys.executable, "-c", "from streams.cli import main; main()"]


def test_the_documentation_of_the_commands_is_up_to_date() -> None:
    documented = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert documented == reference(), "write it anew with `make docs`"


def test_every_command_and_option_is_documented() -> None:
    documented = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        section = documented.split(f"\n## `lineage {name}`\n")[1].split("\n## ")[0]
        assert command.help
        assert command.help.splitlines()[0] in section
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"
                assert all(f"`{o}" in section for o in parameter.opts), f"{name} {parameter.opts}"
            else:
                assert parameter.make_metavar(click.Context(command)) in section


def test_the_commands_are_those_of_the_design() -> None:
    assert set(cli.commands) == {
        *("simulate", "replay", "check", "flags", "route", "sql", "ask", "whatif", "digest"),
        *("worker", "serve", "console", "publish", "dlq", "broker", "doctor", "backup"),
        *("tail", "top", "attach"),
    }


@pytest.mark.parametrize("name", [None, *cli.commands])
def test_help_works_everywhere(name: str | None) -> None:
    ran = run(*([name] if name else []), "--help")
    assert ran.code == 0
    assert ran.out.startswith("Usage: ")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from streams.cli import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'duckdb', 'polars', 'pyarrow', 'numpy', 'faust', 'kafka', 'rich', 'lineage'}\n"
        "heavy |= {'starlette', 'uvicorn'}\n"
        "print(heavy & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"


def test_version() -> None:
    assert run("--version").out.startswith("lineage, version ")


def test_a_mistake_of_ours_is_said_in_a_sentence_that_quotes_nothing(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("the text of a message")

    monkeypatch.setattr(streams.cli.commands.questions.flags, "write_relation", broken)
    ran = run("flags", "--db", db)
    assert ran.code == 70
    assert ran.err.startswith("Error: an unexpected KeyError")
    assert "text of a message" not in ran.err


def test_ctrl_c_ends_quietly(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(streams.cli.commands.questions.flags, "write_relation", interrupted)
    ran = run("flags", "--db", db)
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def processor_seconds(process: subprocess.Popen[bytes]) -> float:
    """Seconds of a processor that a process has taken; a busy machine makes no difference."""
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ctrl_c_ends_a_long_query_quietly(db: Path) -> None:
    query = "SELECT count(*) FROM range(100000000000) a WHERE hash(a.range) = 1"
    process = subprocess.Popen(
        [*LINEAGE, "sql", query, "--db", str(db)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        # To start takes one; by then it is in the middle of the query.
        while processor_seconds(process) < 4:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(db: Path) -> None:
    command = " ".join([f"'{LINEAGE[0]}'", "-c", f"'{LINEAGE[2]}'"])
    query = "SELECT range FROM range(200000)"
    done = subprocess.run(  # noqa: S602 - a pipe is what is tested
        f"{command} sql '{query}' --db '{db}' --json | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == '{"range": 0}\n'
    assert done.stderr == ""


def on_a_terminal(*arguments: object) -> str:
    """Run the command on a terminal of 100 columns and give all that it shows."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*LINEAGE, *map(str, arguments)],
        stdin=its,
        stdout=its,
        stderr=its,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"},
    )
    os.close(its)
    shown = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # Linux: the other side has closed
            break
        if not read:
            break
        shown += read
    os.close(ours)
    process.wait(timeout=60)
    return shown.decode()


@pytest.mark.slow
def test_a_terminal_gets_tables_and_the_broken_rules_in_red(db: Path) -> None:
    tree = on_a_terminal("route", "m1", "--db", db)
    assert "\x1b[1;31m✗ confidential-inmail-to-third-party" in tree
    table = on_a_terminal("sql", "SELECT 1 AS one", "--db", db)
    assert "\x1b[1m" in table
    assert "━" in table or "─" in table


@pytest.mark.slow
def test_a_terminal_gets_no_more_rows_than_asked_for_and_is_told(db: Path) -> None:
    query = "SELECT 'row' || range AS r FROM range(50)"
    shown = on_a_terminal("sql", query, "--db", db, "--limit", 10)
    assert "row9" in shown
    assert "row10" not in shown
    assert "10 of 50 rows; --limit 0 shows all" in shown
    assert run("sql", query, "--db", db, "--limit", 10).out.count("row") == 50


@pytest.mark.slow
def test_a_terminal_gets_a_bar(log: Path, tmp_path: Path) -> None:
    shown = on_a_terminal("replay", log, "--db", tmp_path / "new.duckdb")
    assert "replay" in shown
    assert "bytes" in shown or "kB" in shown
    assert "events" in shown
