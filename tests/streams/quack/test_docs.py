"""What docs/quack.md tells to type, typed: in Python, in DuckDB's shell, in any client."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import lineage
from lineage.remote.attach import attach_statements
from streams.serve.address_file import announced
from tests.stores import new_database
from tests.streams.cli.runner import EVENTS, run
from tests.streams.quack.attached import TOKEN
from tests.streams.serve.serving import holder

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/quack.md").read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:42013"
FLAGGED = "confidential-inmail-to-third-party"


def block(heading: str) -> list[str]:
    """The lines of the first block below a heading."""
    (found,) = re.findall(rf"^## {heading}\n.*?^```\w*\n(.*?)^```", PAGE, re.M | re.S)
    return str(found).splitlines()


def here(lines: list[str], url: str) -> list[str]:
    """Lines of the page, with the server's own address and token."""
    address = url.removeprefix("http://")
    return [line.replace(ADDRESS, address).replace("the token", TOKEN) for line in lines]


def test_three_lines_in_python_are_enough(url: str) -> None:
    lines = here(block("In Python"), url)
    assert len(lines) == 3
    names = {"duckdb": duckdb, "lineage": lineage, "token": TOKEN}
    exec("\n".join(lines[:2]), names)  # noqa: S102 -- the page's own text
    found = eval(lines[2], names)  # noqa: S307 -- as above
    assert FLAGGED in [rule for rule, *_ in found.fetchall()]


def test_three_statements_in_any_client_are_enough(url: str, tmp_path: Path) -> None:
    statements = here(block("In any client"), url)
    assert len(statements) == 3
    with client_with_extensions(tmp_path) as client:
        for statement in statements:
            client.execute(statement)
        assert len(client.sql("FROM lineage.flag")) == 4
        for question in block("What can be asked"):
            assert client.sql(question).columns[:2] == ["message_id", "hop_id"]


def client_with_extensions(folder: Path) -> duckdb.DuckDBPyConnection:
    """A client that has the extensions where DuckDB itself installs them."""
    client = duckdb.connect(config={"extension_directory": str(folder)})
    (platform,) = client.execute("PRAGMA platform").fetchall()[0]
    own = folder / f"v{duckdb.__version__}" / platform
    own.mkdir(parents=True)
    for load in attach_statements("http://127.0.0.1:1", TOKEN)[:2]:
        file = Path(load.split("'")[1])
        (own / file.name).write_bytes(file.read_bytes())
    return client


@pytest.fixture(scope="module")
def served() -> Iterator[Path]:
    """A database that `lineage serve --quack` serves, in a process of its own."""
    with new_database() as db:
        with lineage.open(db) as store:
            store.apply(EVENTS)
        command = [sys.executable, "-m", "streams.cli", "serve", "--db", str(db), "--quack"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline().startswith("http://")
                yield db
            finally:
                process.terminate()
                process.wait(20)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the lines are for a Unix shell")
def test_three_lines_in_a_shell_are_enough(served: Path, tmp_path: Path) -> None:
    lines = [line.replace("live.duckdb", str(served)) for line in block("In DuckDB's shell")]
    assert [line[:2] for line in lines] == ["$ ", "$ ", "D "]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-ec", "\n".join(line[2:] for line in lines[:2])],  # noqa: S607 -- of the PATH
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        input=lines[2][2:],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, FLAGGED in ran.stdout) == (0, True), ran.stderr
    assert (tmp_path / "live.sql").stat().st_mode & 0o077 == 0


def copied(db: Path, folder: Path) -> Path:
    """A copy of a database that is only read."""
    copy = folder / "copy.duckdb"
    copy.write_bytes(db.read_bytes())
    return copy


@pytest.mark.slow
class TestAttach:
    """`lineage attach`."""

    def test_it_writes_the_statements(self, served: Path) -> None:
        where = announced(served)
        assert where is not None
        ran = run("attach", "--db", served, "--name", "live")
        assert ran.code == 0
        assert ran.out.splitlines() == attach_statements(where.url, where.token, "live")

    def test_it_says_what_is_missing(
        self, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran = run("attach", "--db", tmp_path / "other.duckdb")
        assert (ran.code, ran.out) == (3, "")
        assert "start `lineage worker` or `lineage serve` with --quack" in ran.err
        with holder(other := copied(served, tmp_path)):
            ran = run("attach", "--db", other)
        assert (ran.code, "does not answer DuckDB's clients" in ran.err) == (3, True)
        monkeypatch.setattr("lineage.remote.attach.find_spec", lambda _: None)
        ran = run("attach", "--db", served)
        assert (ran.code, ran.out) == (3, "")
        assert "`pip install 'message-lineage[quack]'` installs it" in ran.err
