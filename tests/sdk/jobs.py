"""Jobs that use the SDK: in this process, or in one of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lineage_sdk

ROOT = Path(__file__).parent.parent.parent
Event = dict[str, Any]


@dataclass
class Reported:
    """Where this process reports to, and what it has reported."""

    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    def events(self) -> list[Event]:
        assert lineage_sdk.flush(20)
        return events_in(self.log)

    def hops(self) -> list[Event]:
        return [event for event in self.events() if event["event"] == "RecordsMoved"]

    def flows(self) -> set[tuple[str, str]]:
        """Which record flowed into which, as all hops together say."""
        return {flow for hop in self.hops() for flow in flows_of(hop)}


def flows_of(hop: Event) -> Iterator[tuple[str, str]]:
    for one in hop["inputs"]:
        for other in hop["outputs"] or [one]:
            yield one, other


def events_in(log: Path) -> list[Event]:
    """All events of a log, file by file."""
    return [
        json.loads(line)
        for path in sorted(log.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


@contextmanager
def reporting(folder: Path, **settings: Any) -> Iterator[Reported]:
    reported = Reported(folder)
    given = {"job": "a-job", "emit": f"file://{reported.log}", "spool": reported.spool, **settings}
    lineage_sdk.configure(**given)
    try:
        yield reported
    finally:
        lineage_sdk.configure(disabled=True)


def environment(**variables: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LINEAGE_")}
    return {**clean, "PYTHONPATH": str(ROOT / "sdk"), **variables}


def start(code: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start a job in a process of its own, where no package of the tracker lies."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environment(**variables),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(code: str, *arguments: str, **variables: str) -> tuple[str, str]:
    """Run a job to its good end; what it wrote to stdout and stderr."""
    process = start(code, *arguments, **variables)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return out, said
