"""Reads what the simulator wrote, and what the tracker says to it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from tests.lineage.semantics.reference import FLAG_COLUMNS
from tests.stores import new_store

Flag = tuple[Any, ...]


def plain(value: Any) -> Any:  # noqa: ANN401 - a column of `flag` is of any type
    """Instants as the file of expected flags writes them."""
    return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(value, datetime) else value


def events(folder: Path) -> list[dict[str, Any]]:
    """The events of a log of JSON lines, in the order of the log."""
    paths = sorted(folder.glob("events-*.jsonl"))
    return [orjson.loads(line) for path in paths for line in path.open("rb")]


def expected(folder: Path) -> list[Flag]:
    """The expected flags in the order of their file."""
    lines = (folder / "expected-flags.jsonl").read_bytes().splitlines()
    rows = [orjson.loads(line) for line in lines]
    assert all(tuple(row) == FLAG_COLUMNS for row in rows)
    return [tuple(row.values()) for row in rows]


def tracked(folder: Path) -> tuple[list[Flag], int, int]:
    """The tracker's flags by rule, message and dataset; its arrivals; its dead letters."""
    columns = ", ".join(FLAG_COLUMNS)
    with new_store() as store:
        store.replay(folder)
        flags = store.sql(f"SELECT {columns} FROM flag").fetchall()
        arrivals = store.sql("SELECT count(*) FROM arrival").fetchall()[0][0]
        dead = store.sql("SELECT count(*) FROM dead_letter").fetchall()[0][0]
    found = [tuple(plain(value) for value in row) for row in flags]
    return sorted(found, key=lambda flag: (flag[0], flag[2], flag[3])), arrivals, dead
