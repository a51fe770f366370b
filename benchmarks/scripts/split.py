"""Splits a log of .avro files in time: what is known already, and what comes later.

A log of another seed is no such later part: the two overlap in time, so that all of it is late.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import numpy as np

from lineage.codec import EventType, by_name


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("earlier", type=Path)
    parser.add_argument("later", type=Path)
    parser.add_argument("--events", type=int, required=True, help="that come later")
    options = parser.parse_args()
    files = sorted(options.log.glob("*.avro"))
    instants = np.sort([at for file in files for at, _ in _events(file)])
    since = int(instants[-options.events])
    for file in files:
        _write(file, options.earlier, lambda at: at < since)
        _write(file, options.later, lambda at: at >= since)


def _events(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the instant of each event (microseconds), and its fields."""
    with path.open("rb") as file:
        for event in fastavro.reader(file):
            found: Any = event
            yield round(found[_kind(path).instant_field].timestamp() * 1_000_000), found


def _write(path: Path, folder: Path, wanted: Callable[[int], bool]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    chosen = (event for at, event in _events(path) if wanted(at))
    with (folder / path.name).open("wb") as file:
        fastavro.writer(file, json.loads(_kind(path).schema), chosen)


def _kind(path: Path) -> EventType:
    """Return the type of a file that `lineage simulate` named."""
    return by_name(path.stem.partition("-")[2])


if __name__ == "__main__":
    main()
