"""`make demo` in small: every command of it works, twice over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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


@pytest.mark.slow
def test_what_the_readme_shows_is_what_the_commands_print(tmp_path: Path) -> None:
    demo = ["-m", "streams.demo", "--dir", str(tmp_path)]
    subprocess.run([sys.executable, *demo], capture_output=True, check=True)
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("## What it shows")[1]
    lines = shown.split("```")[1].strip().split("\n")
    asked = [line for line in lines if line.startswith("$ lineage ")]
    printed = []
    for line in asked:
        arguments = line.replace("demo/lineage.duckdb", str(tmp_path / "lineage.duckdb")).split()
        command = [sys.executable, "-m", "streams.cli", *arguments[2:]]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        printed += [line, *done.stdout.rstrip().split("\n")]
    assert len(asked) == 2
    assert printed == lines
