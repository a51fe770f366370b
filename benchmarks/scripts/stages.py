"""Times the stages of recording a log one after another, in one thread, and prints them as JSON.

{stage: microseconds an event}: decode (bytes to tables), encode (what needs no store), the parts
of applying, commit; and append: the rows of the same tables put into empty ones by DuckDB, which
is what is left if nothing is asked and nothing derived.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

import lineage
from lineage.codec import read_log
from lineage.ingest.encode import encode
from lineage.judge import flags
from lineage.judge.rules import Judge
from lineage.keys.assign import Keys
from lineage.reach import fixpoint
from lineage.store import transaction

# By module or class: what is timed, and the stage that it is.
_WATCHED: tuple[tuple[Any, str, str], ...] = (
    (Keys, "assign", "assign keys"),
    (transaction, "resolve", "deduplicate"),
    (transaction, "record", "record events"),
    (transaction, "derive", "fixpoint"),
    (fixpoint, "store_arrivals", "store arrivals"),
    (Judge, "facts", "facts"),
    (Judge, "breaches", "rules"),
    (flags, "update", "flags"),
)
_TABLES = ("identifier", "message", "message_party", "hop", "hop_input", "hop_output", "arrival")


class Stages:
    """Seconds by stage. What is another stage inside one counts to the inner one alone."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap `work`, to be timed."""

        def timing(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on as they are
            self._inside.append(0.0)
            began = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                spent = time.perf_counter() - began
                self.seconds[stage] += spent - self._inside.pop()
                if self._inside:
                    self._inside[-1] += spent

        return timing

    def watch(self) -> None:
        """Time the stages of every store from now on."""
        for of, name, stage in _WATCHED:
            setattr(of, name, self.timed(stage, getattr(of, name)))


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--batch", type=int, required=True)
    asked = parser.parse_args()
    stages = Stages()
    stages.watch()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stages.duckdb"
        events = _record(asked.log, asked.batch, path, stages)
        stages.seconds["append alone"] = _append(path)
    print(json.dumps({stage: 1e6 * s / events for stage, s in stages.seconds.items()}))


def _record(log: Path, batch_events: int, path: Path, stages: Stages) -> int:
    events = 0
    batches = read_log(log, batch_events=batch_events)
    decode = stages.timed("decode", lambda: next(batches, None))
    encoded = stages.timed("encode", encode)
    with lineage.open(path) as store:
        apply = stages.timed("commit and the rest", store.apply_batch)
        while (batch := decode()) is not None:
            events += apply(encoded(batch)).events
    return events


def _append(path: Path) -> float:
    """Time DuckDB as it puts the same rows into empty tables, a million at a time, in seconds."""
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        target = duckdb.connect(str(Path(folder) / "append.duckdb"))
        target.execute("SET threads = 1")
        source = duckdb.connect(str(path), read_only=True)
        for table in _TABLES:
            reader = source.execute(f"FROM core.{table}").to_arrow_reader(1_000_000)
            for number, rows in enumerate(reader):
                target.register("rows", rows)
                verb = f"INSERT INTO {table}" if number else f"CREATE TABLE {table} AS"
                began = time.perf_counter()
                target.execute(f"{verb} FROM rows")
                seconds += time.perf_counter() - began
                target.unregister("rows")
        target.close()
        source.close()
    return seconds


if __name__ == "__main__":
    main()
