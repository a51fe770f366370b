"""Asks a database what auditors ask, and prints {question: milliseconds}.

Before that, three hops of its own go in: a record made of 10,000 late messages, one made of
10,000 messages of all of history, and a message that is copied 10,000 times. Each question is
asked once to warm up, then timed: the median of five.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import lineage
from benchmarks.measurement.questions import milliseconds

_COPIES = 10_000
_LATE_FLAG = (
    "SELECT message_id, dataset FROM flag WHERE rule = 'confidential-inmail-to-third-party' "
    "ORDER BY first_at DESC LIMIT 1"
)
_MODEL_RECORD = (
    "SELECT record_id FROM arrival WHERE dataset = 'models.assistant' "
    "ORDER BY arrived_at DESC LIMIT 1"
)
_LATE = "SELECT message_id FROM message WHERE dataset = ? ORDER BY sent_at DESC LIMIT 10000"
_SPREAD = "SELECT message_id FROM message WHERE dataset = ? USING SAMPLE 10000 ROWS (reservoir, 1)"
_SUMMARY = "warehouse.summary"
Ask = Callable[[], object]


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    database = parser.parse_args().database
    copied = _relate(database)
    with lineage.open(database, read_only=True) as store:
        questions = _questions(store, copied)
        print(json.dumps({name: milliseconds(ask) for name, ask in questions.items()}))


def _relate(database: Path) -> tuple[str, str]:
    """Record hops with many relations; the dataset and the message that is copied."""
    with lineage.open(database) as store:
        ((origin,),) = store.sql("SELECT dataset FROM message LIMIT 1").fetchall()
        late = [row[0] for row in store.sql(_LATE, [origin]).fetchall()]
        spread = [row[0] for row in store.sql(_SPREAD, [origin]).fetchall()]
        copies = [_hop(origin, f"copy-{i}", late[:1], [f"copy-{i}"]) for i in range(_COPIES)]
        store.apply(
            [_hop(origin, "late", late, ["late"]), _hop(origin, "spread", spread, ["spread"])]
        )
        store.apply(copies)
    return origin, late[0]


def _hop(
    source: str, hop_id: str, inputs: Sequence[str], outputs: Sequence[str]
) -> dict[str, object]:
    return {
        "event": "RecordsMoved",
        "hop_id": hop_id,
        "run_id": "asked",
        "job": "summary",
        "operation": "AGGREGATE",
        "source": source,
        "target": _SUMMARY,
        "inputs": inputs,
        "outputs": outputs,
        "moved_at": "2031-01-01T00:00:00Z",
    }


def _questions(store: lineage.Store, copied: tuple[str, str]) -> dict[str, Ask]:
    ((message, sink),) = store.sql(_LATE_FLAG).fetchall()
    ((record,),) = store.sql(_MODEL_RECORD).fetchall()

    def relations(way: str, dataset: str, record_id: str) -> tuple[str, Ask]:
        def ask() -> list[tuple[object, ...]]:
            found: list[tuple[object, ...]] = store.sql(
                f"FROM {way}(?, ?)",
                [dataset, record_id],
            ).fetchall()
            return found

        return f"{len(ask()):,} relations", ask

    of_model, model = relations("upstream", "models.assistant", record)
    of_late, late = relations("upstream", _SUMMARY, "late")
    of_spread, spread = relations("upstream", _SUMMARY, "spread")
    of_copied, copies = relations("downstream", *copied)
    return {
        "route of a message": lambda: store.route(message).fetchall(),
        "flags of a sink": lambda: store.flags(dataset=sink).fetchall(),
        f"upstream of a model, {of_model}": model,
        f"upstream of a summary of late messages, {of_late}": late,
        f"upstream of a summary of all of history, {of_spread}": spread,
        f"downstream of a message, {of_copied}": copies,
    }


if __name__ == "__main__":
    main()
