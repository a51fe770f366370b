"""`make demo` in small: every command of it works, twice over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_demo_shows_the_whole_way_and_can_be_run_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streams.demo", "--dir", str(tmp_path), "--messages", "500"]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for part in (
        "$ lineage simulate --messages 500",
        "confidential-inmail-to-third-party",
        "✗ confidential-inmail-to-third-party",
        "precision   1.0",
        "recall      1.0",
        "Now try",
    ):
        assert part in done.stdout
