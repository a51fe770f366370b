"""Defines the errors of a simulation.

StreamsError
└── SimulationError      the log cannot be written as asked
    └── GraphError       the list of real messages cannot be read
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from streams.errors import StreamsError

__all__ = ["GraphError", "SimulationError"]


class SimulationError(StreamsError):
    """The log cannot be written as asked: an argument or the folder is at fault."""

    exit_code: ClassVar[int] = 2


class GraphError(SimulationError):
    """The list of real messages cannot be read. Names the file, and the line (from 1) if any."""

    def __init__(self, path: Path, line: int | None, why: str) -> None:
        where = str(path) if line is None else f"{path}, line {line}"
        super().__init__(
            f"{where}: {why}; right is one message a line: sender recipient [weight] "
            "unix-seconds, separated by white space"
        )
        self.path = path
        self.line = line
