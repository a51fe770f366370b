"""Batches rows into DuckDB through Arrow, the fast way that its documentation shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from benchmarks.peers.decode import TOPICS, Event
from benchmarks.peers.trace import Arrival, Tracer

__all__ = ["Job", "Row", "Warehouse"]

Row = tuple[str, tuple[Any, ...]]
"""A table's name, and the values of one row of it."""

_ROWS_A_BATCH = 50_000
_TEXT, _AT, _FLAG = pa.string(), pa.timestamp("us", "UTC"), pa.bool_()
_TABLES: dict[str, dict[str, pa.DataType]] = {
    "message": {"message_id": _TEXT, "channel": _TEXT, "dataset": _TEXT, "sent_at": _AT},
    "message_party": {
        **dict.fromkeys(("message_id", "role", "member_id", "tier", "region"), _TEXT),
        **dict.fromkeys(("ai_training_consent", "third_party_consent"), _FLAG),
    },
    "hop": {
        **dict.fromkeys(("hop_id", "run_id", "job", "operation", "source", "target"), _TEXT),
        "moved_at": _AT,
    },
    "hop_record": {"hop_id": _TEXT, "side": _TEXT, "record_id": _TEXT},
    "consent_change": {
        **dict.fromkeys(("change_id", "member_id", "purpose"), _TEXT),
        "granted": _FLAG,
        "basis": _TEXT,
        "effective_at": _AT,
    },
    "arrival": {
        **dict.fromkeys(("message_id", "hop_id", "dataset", "record_id", "operation"), _TEXT),
        "arrived_at": _AT,
    },
    "flag": {**dict.fromkeys(("rule", "message_id", "dataset"), _TEXT), "arrived_at": _AT},
}
MESSAGE_SENT, RECORDS_MOVED, CONSENT_CHANGED = TOPICS[:3]


class Job:
    """Turns each event into rows. declarations: see Tracer."""

    def __init__(self, declarations: list[Event]) -> None:
        self._tracer = Tracer(declarations)

    def rows(self, topic: str, event: Event) -> list[Row]:
        """Give the rows of one event of a topic: the event's own, its arrivals, its flags."""
        if topic == MESSAGE_SENT:
            found = list(self._tracer.message(event))
            own = _message(event) if found else []
        elif topic == RECORDS_MOVED:
            found = list(self._tracer.hop(event))
            own = _hop(event)
        elif topic == CONSENT_CHANGED:
            return [("consent_change", tuple(event[c] for c in _TABLES["consent_change"]))]
        else:
            return []
        return own + [("arrival" if type(one) is Arrival else "flag", tuple(one)) for one in found]


def _message(event: Event) -> list[Row]:
    message_id = event["message_id"]
    columns = list(_TABLES["message_party"])[1:]
    return [
        ("message", (message_id, event["channel"], event["dataset"], event["sent_at"])),
        *(
            ("message_party", (message_id, *(party[c] for c in columns)))
            for party in event["parties"]
        ),
    ]


def _hop(event: Event) -> list[Row]:
    hop_id = event["hop_id"]
    return [
        ("hop", tuple(event[c] for c in _TABLES["hop"])),
        *(("hop_record", (hop_id, "INPUT", record)) for record in event["inputs"]),
        *(("hop_record", (hop_id, "OUTPUT", record)) for record in event["outputs"]),
    ]


class Warehouse:
    """Collects rows, and inserts them when there are many, or when told to."""

    def __init__(self, path: Path) -> None:
        self._connection = duckdb.connect(str(path))
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _TABLES}
        self._waiting = 0
        for name, columns in _TABLES.items():
            empty = pa.schema(list(columns.items())).empty_table()
            self._connection.register("rows", empty)
            self._connection.execute(f"CREATE TABLE {name} AS FROM rows")

    def add(self, rows: list[Row]) -> None:
        """Take rows."""
        for table, values in rows:
            self._rows[table].append(values)
        self._waiting += len(rows)
        if self._waiting >= _ROWS_A_BATCH:
            self.flush()

    def flush(self) -> None:
        """Insert what was collected, in one transaction."""
        self._connection.execute("BEGIN")
        for name, rows in self._rows.items():
            if rows:
                columns = zip(*rows, strict=True)
                types = _TABLES[name]
                arrays = [
                    pa.array(values, kind)
                    for values, kind in zip(columns, types.values(), strict=True)
                ]
                self._connection.register("rows", pa.table(arrays, names=list(types)))
                self._connection.execute(f"INSERT INTO {name} FROM rows")
                rows.clear()
        self._connection.execute("COMMIT")
        self._waiting = 0

    def close(self) -> None:
        """Insert the rest and close."""
        self.flush()
        self._connection.close()
