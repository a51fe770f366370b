"""`lineage console`: of a file, of a worker that shows one, and of one that does not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lineage
from streams.console.console import pages_of
from streams.errors import WorkerError
from streams.serve.readers import Readers
from streams.serve.server import QuestionServer
from streams.serve.settings import ServeSettings
from streams.worker.configuration.settings import Settings
from tests.streams.cli.runner import EVENTS, run
from tests.streams.serve.serving import ask

COMMAND = [sys.executable, "-m", "streams.cli", "console", "--db"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lineage.duckdb"
    with lineage.open(path) as store:
        store.apply(EVENTS)
    return path


@pytest.mark.slow
def test_a_file_is_shown_until_a_signal(file: Path) -> None:
    with subprocess.Popen([*COMMAND, file], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            told = ask(url, "/message/m1", accept="text/html")
            assert "confidential-inmail-to-third-party" in told.body.decode()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


@pytest.mark.slow
@pytest.mark.parametrize("shows", [True, False])
def test_the_console_of_a_running_worker_is_found(file: Path, shows: bool) -> None:
    settings = ServeSettings.of(console=shows)
    with lineage.open(file) as store:
        readers = Readers(store, settings.limits)
        server = QuestionServer(readers, settings, file, store.backup, (), pages_of(settings))
        server.start()
        try:
            done = subprocess.run([*COMMAND, file], capture_output=True, text=True, check=False)
            assert ask(server.url, "/health").json["console"] is shows
        finally:
            server.stop()
    if shows:
        assert (done.returncode, done.stdout.strip()) == (0, server.url)
    else:
        assert done.returncode == 3
        assert "shows no console; start it with --console" in done.stderr


def test_a_console_needs_an_address(file: Path) -> None:
    done = run("worker", "--db", file, "--bootstrap", "127.0.0.1:1", "--no-serve", "--console")
    assert (done.code, "--console needs an address" in done.err) == (2, True)


def test_the_variable_turns_the_console_on() -> None:
    settings = Settings.from_environment({"LINEAGE_CONSOLE": "1"})
    assert settings.serve is not None
    assert settings.serve.console
    with pytest.raises(WorkerError, match="LINEAGE_CONSOLE must be 1 or 0"):
        Settings.from_environment({"LINEAGE_CONSOLE": "yes"})
