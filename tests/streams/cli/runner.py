"""A small company's event log, the flags it comes to, and a way to run the command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from streams.cli import cli
from tests.lineage.events.builders import at, declared, hop, message

EVENTS = [
    message("m1"),
    message("m2", channel="DIRECT"),
    declared("d1", "inbox", "TOPIC"),
    declared("d2", "partner", "SINK", "THIRD", "Acme"),
    hop("h1", "inbox", "raw", ["m1", "m2"], moved_at=at(1)),
    hop("h2", "inbox", "copy", ["m1"], ["x"], moved_at=at(1)),
    hop("h3", "raw", "wide", ["m1", "m2"], ["w"], moved_at=at(2), operation="JOIN"),
    hop("h4", "copy", "wide", ["x"], ["w"], moved_at=at(2), operation="JOIN"),
    hop("h5", "wide", "raw", ["w"], ["m1"], moved_at=at(2)),
    hop("h6", "wide", "partner", ["w"], ["p"], moved_at=at(3), operation="EXPORT"),
]
FLAGS = [
    ("confidential-inmail-to-third-party", "CRITICAL", "partner", 1, "h6", at(3), at(3)),
    ("confidential-inmail-to-undeclared-dataset", "HIGH", "copy", 1, "h2", at(1), at(1)),
    ("confidential-inmail-to-undeclared-dataset", "HIGH", "raw", 2, "h1", at(1), at(2)),
    ("confidential-inmail-to-undeclared-dataset", "HIGH", "wide", 2, "h3", at(2), at(2)),
]
"""By hand, for m1 (m2 is no InMail): rule, severity, dataset, arrivals, first hop, first, last."""


def flag(row: tuple[Any, ...]) -> dict[str, object]:
    rule, severity, dataset, arrivals, first_hop, first_at, last_at = row
    return {
        "rule": rule,
        "severity": severity,
        "message_id": "m1",
        "dataset": dataset,
        "policy_id": "built-in",
        "first_at": first_at,
        "last_at": last_at,
        "arrivals": arrivals,
        "first_hop": first_hop,
    }


def listed(row: tuple[Any, ...]) -> dict[str, object]:
    """A flag as `flags` lists it."""
    found = flag(row)
    return {**found, "job": "job", "recipient": "Acme" if found["dataset"] == "partner" else None}


@dataclass
class Ran:
    """A finished run of the command: its exit code, and its output."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: object, stdin: str = "", env: dict[str, str] | None = None) -> Ran:
    result = CliRunner().invoke(cli, [str(a) for a in arguments], input=stdin, env=env)
    error = result.exception
    assert error is None or isinstance(error, SystemExit), repr(error)
    assert "Traceback" not in result.stderr
    return Ran(result.exit_code, result.stdout, result.stderr)


def write_log(path: Path, events: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path
