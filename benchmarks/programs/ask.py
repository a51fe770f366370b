"""Asks a database what auditors ask, and prints {question: milliseconds}.

Each question is asked once to warm up, then timed: the median of five.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import lineage

_TIMES = 5
_LATE_FLAG = (
    "SELECT message_id, dataset FROM flag WHERE rule = 'confidential-inmail-to-third-party' "
    "ORDER BY first_at DESC LIMIT 1"
)
_MODEL_RECORD = (
    "SELECT record_id FROM arrival WHERE dataset = 'models.assistant' "
    "ORDER BY arrived_at DESC LIMIT 1"
)


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    with lineage.open(parser.parse_args().database, read_only=True) as store:
        ((message, sink),) = store.sql(_LATE_FLAG).fetchall()
        ((record,),) = store.sql(_MODEL_RECORD).fetchall()
        ((origin,),) = store.sql(
            "SELECT dataset FROM message WHERE message_id = ?", [message]
        ).fetchall()
        relations = store.sql("FROM upstream('models.assistant', ?)", [record]).fetchall()
        questions: dict[str, Callable[[], object]] = {
            "route of a message": lambda: store.route(message).fetchall(),
            "flags of a sink": lambda: store.flags(dataset=sink).fetchall(),
            "downstream of a message": lambda: store.sql(
                "FROM downstream(?, ?)", [origin, message]
            ).fetchall(),
            f"upstream of a model, {len(relations):,} relations": lambda: store.sql(
                "FROM upstream('models.assistant', ?)", [record]
            ).fetchall(),
        }
        print(json.dumps({name: _milliseconds(ask) for name, ask in questions.items()}))


def _milliseconds(ask: Callable[[], object]) -> float:
    ask()
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


if __name__ == "__main__":
    main()
