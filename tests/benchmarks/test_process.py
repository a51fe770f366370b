from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from benchmarks.errors import CommandFailedError
from benchmarks.process import Program, run


def test_a_command_is_measured_by_itself(tmp_path: Path) -> None:
    small = run([sys.executable, "-c", "print('done')"], tmp_path)
    large = run([sys.executable, "-c", "b = b'x' * (200 << 20)"], tmp_path)
    again = run([sys.executable, "-c", "pass"], tmp_path)
    assert small.stdout == "done\n"
    assert small.seconds > 0
    assert large.peak_bytes > 200 << 20
    # Not the most that any child ever had.
    assert again.peak_bytes < 200 << 20


def test_a_failure_says_what_the_command_said_last(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"ended with 3:\nso bad"):
        run(
            [sys.executable, "-c", "import sys; print('so bad', file=sys.stderr); exit(3)"],
            tmp_path,
        )


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="ended with -9"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, seconds_max=0.5)


def test_a_program_ends_with_its_block(tmp_path: Path) -> None:
    began = time.monotonic()
    with Program([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path) as running:
        running.check()
    with pytest.raises(CommandFailedError):
        running.check()
    assert time.monotonic() - began < 30


def test_a_running_program_is_read_by_its_last_whole_line(tmp_path: Path) -> None:
    code = "import sys; print('one'); print('two'); print('thr', end='', flush=True); input()"
    with Program([sys.executable, "-c", code], tmp_path) as running:
        with pytest.raises(CommandFailedError):  # it has no stdin
            running.wait(30)
        assert running.last_line() == "two"
