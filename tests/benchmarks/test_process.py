from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.errors import CommandFailedError
from benchmarks.measurement.process import Program, run

MEASURE = """
import sys
from pathlib import Path
from benchmarks.measurement.process import run

for code in sys.argv[2:]:
    done = run([sys.executable, "-c", code], Path(sys.argv[1]))
    print(done.peak_bytes >> 20)
"""


def mebibytes(folder: Path, *programs: str) -> list[int]:
    """Return what each measures, from a small process, as the benchmarks are: the tests' own memory
    would count, too.
    """
    done = run([sys.executable, "-c", MEASURE, folder, *programs], folder)
    return [int(line) for line in done.stdout.split()]


def test_a_command_comes_back_with_what_it_said(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", "print('done')"], tmp_path)
    assert done.stdout == "done\n"
    assert done.seconds > 0


@pytest.mark.slow
def test_memory_is_that_of_one_command_alone(tmp_path: Path) -> None:
    large, small = mebibytes(tmp_path, "b = b'x' * (200 << 20)", "pass")
    assert large > 200
    assert small < 100


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows it in /proc")
def test_memory_is_that_of_a_command_with_those_that_it_starts(tmp_path: Path) -> None:
    large = "b = b'x' * (200 << 20); import time; time.sleep(1)"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {large!r}])"
    after = starts + "; " + large
    beside = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {large!r}]); "
    one_after_the_other, both = mebibytes(tmp_path, after, beside + large)
    assert one_after_the_other < 380
    assert both > 400


def test_the_benchmarks_stay_small_themselves(tmp_path: Path) -> None:
    code = "import benchmarks.command, sys; print({'polars', 'duckdb', 'kafka'} & {*sys.modules})"
    assert run([sys.executable, "-c", code], tmp_path).stdout == "set()\n"


def test_a_failure_says_what_the_command_said_last(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"ended with 3:\nso bad"):
        run(
            [sys.executable, "-c", "import sys; print('so bad', file=sys.stderr); exit(3)"],
            tmp_path,
        )


@pytest.mark.slow
def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="ended with -9"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, seconds_max=0.5)


@pytest.mark.timeout(60)
def test_a_program_ends_with_its_block(tmp_path: Path) -> None:
    with Program([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path) as running:
        running.check()
    with pytest.raises(CommandFailedError):
        running.check()


def test_a_running_program_is_read_by_its_last_whole_line(tmp_path: Path) -> None:
    code = "import sys; print('one'); print('two'); print('thr', end='', flush=True); input()"
    with Program([sys.executable, "-c", code], tmp_path) as running:
        with pytest.raises(CommandFailedError):  # it has no stdin
            running.wait(30)
        assert running.last_line() == "two"
