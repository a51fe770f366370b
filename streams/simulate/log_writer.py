"""Writes the event log: lines of JSON of mixed types, or Avro files of one type each.

Events are added in any order; `write_until` writes those that come before an instant in the log,
in its order, and holds the rest. So memory holds a chunk and what is late, never the log.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from typing import IO, Any

import fastavro
import polars as pl

from lineage.codec.contract.events import by_name
from streams.simulate.world.events import COLUMNS, INSTANTS, Frames, select_columns
from streams.simulate.world.random_stream import RandomStream, stream_key

FILE_EVENTS_MAX = 500_000
"""Of a file of JSON lines: one that editors and tools still open."""
_LINES_AT_ONCE = 50_000
_RFC_3339 = "%Y-%m-%dT%H:%M:%S%.6fZ"


def with_text_instants(events: pl.DataFrame) -> pl.DataFrame:
    """Spell instants (microseconds since 1970) as RFC 3339 with six fractional digits and Z."""
    instants = [c for c in events.columns if c in INSTANTS or c in ("first_at", "last_at")]
    return events.with_columns(
        pl.col(instants).cast(pl.Datetime("us")).dt.strftime(_RFC_3339) if instants else []
    )


class LogWriter(ABC):
    """Writes the events of a log into a folder.

    events: how many were written or are held, by type. paths: the files so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: Counter[str] = Counter()
        self.paths: list[Path] = []

    def add(self, frames: Frames) -> None:
        """Hold events to be written."""
        for name, events in frames.items():
            for each in events:
                self.events[name] += each.height
                self._hold(name, select_columns(name, each))

    @abstractmethod
    def _hold(self, name: str, events: pl.DataFrame) -> None: ...

    @abstractmethod
    def write_until(self, before: int) -> None:
        """Write what comes before an instant in the log, by log_at; ties as they were added."""


def _due(held: list[pl.DataFrame], before: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = pl.concat(held).sort("log_at", maintain_order=True)
    cut = rows["log_at"].search_sorted(before, side="left")
    return rows[:cut], rows[cut:]


class JsonLines(LogWriter):
    """Writes one JSON event a line, types mixed, `file_events_max` a file: events-0000.jsonl."""

    def __init__(self, folder: Path, file_events_max: int = FILE_EVENTS_MAX) -> None:
        super().__init__(folder)
        self._file_events_max = file_events_max
        self._held: list[pl.DataFrame] = []
        self._room = 0

    def _hold(self, name: str, events: pl.DataFrame) -> None:
        columns = [pl.lit(name).alias("event"), *COLUMNS[name]]
        self._held.append(
            with_text_instants(events).select(
                "log_at", line=pl.struct(columns).struct.json_encode()
            )
        )

    def write_until(self, before: int) -> None:
        """Write what is due, as LogWriter says; a full file is followed by the next number."""
        if not self._held:
            return
        due, later = _due(self._held, before)
        self._held = [later]
        while due.height:
            if self._room == 0:
                self.paths.append(self.folder / f"events-{len(self.paths):04}.jsonl")
                self._room = self._file_events_max
            size = min(self._room, _LINES_AT_ONCE)
            part, due = due[:size], due[size:]
            self._room -= part.height
            with self.paths[-1].open("ab") as file:
                file.write(part["line"].str.join("\n").item().encode())
                file.write(b"\n")


class AvroFiles(LogWriter):
    """Writes object container files, one a type, numbered in the order in which to read them."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder)
        # The marker between blocks is random by custom; drawn, the bytes repeat.
        random_stream = RandomStream(stream_key(seed, "avro"))
        self._marker = b"".join(random_stream.bits().to_bytes(8, "big") for _ in range(2))
        parsed = {name: json.loads(by_name(name).schema) for name in COLUMNS}
        self._schemas = {
            name: _in_one_order(fastavro.parse_schema(schema)) for name, schema in parsed.items()
        }
        self._held: dict[str, list[pl.DataFrame]] = {name: [] for name in COLUMNS}

    def _hold(self, name: str, events: pl.DataFrame) -> None:
        self._held[name].append(events)

    def write_until(self, before: int) -> None:
        """Write what is due, as LogWriter says, within each type."""
        for number, name in enumerate(COLUMNS):
            if not self._held[name]:
                continue
            due, later = _due(self._held[name], before)
            self._held[name] = [later]
            if due.height:
                path = self.folder / f"{number}-{name}.avro"
                if path not in self.paths:
                    self.paths.append(path)
                with path.open("a+b") as file:
                    self._write(file, name, due.drop("log_at"))

    def _write(self, file: IO[bytes], name: str, events: pl.DataFrame) -> None:
        # Instants stay numbers: a long is what timestamp-micros is on the wire.
        fastavro.writer(
            file, self._schemas[name], events.iter_rows(named=True), sync_marker=self._marker
        )


def _in_one_order(schema: Any) -> Any:  # noqa: ANN401 - JSON, and what fastavro adds to it
    """Sort the keys of a parsed schema.

    fastavro writes them into the file in the order of a set, which is another one in each process.
    """
    if isinstance(schema, list):
        return [_in_one_order(each) for each in schema]
    if isinstance(schema, dict):
        return {
            key: value if key == "__named_schemas" else _in_one_order(value)
            for key, value in sorted(schema.items())
        }
    return schema
