"""Times batches that are not in the order of time, upon a history; prints JSON.

{case: {"events", "arrivals", "seconds"}}, in this order. The history is all of LOG but its last
batches, which are in turn the cases "in order" and "hops before their messages": one batch can
take half as long again as the next, so that two alone cannot be compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import lineage
from lineage.codec import Batch, from_events, read_log
from lineage.policy.parse import BUILT_IN_DOCUMENT
from streams.simulate.world import company

# Batches in order, and as many in disorder.
_PAIRS = 5
_SPREAD = 10_000
_SHARD = 100_000
_RANDOM_IDS = 10_000

_ORDERS = ("in order", "hops before their messages")

Event = dict[str, object]


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--batch", type=int, required=True, help="events of the cases in order")
    asked = parser.parse_args()
    # The last one is what was left over.
    *batches, _ = read_log(asked.log, batch_events=asked.batch)
    history, rest = batches[: -2 * _PAIRS], batches[-2 * _PAIRS :]
    if not history:
        sys.exit(f"{len(batches)} batches are too few; use a longer log or a smaller --batch")
    told: dict[str, dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        lineage.open(Path(folder) / "disorder.duckdb") as store,
    ):
        for batch in history:
            store.apply_batch(batch)
        told |= _compared(store, rest[::2], rest[1::2])
        for case, batch in _cases(store, rest[-1]):
            told[case] = _timed(store, [batch])
    print(json.dumps(told))


def _compared(
    store: lineage.Store, ordered: Sequence[Batch], disordered: Sequence[Batch]
) -> dict[str, dict[str, float]]:
    """Apply batches in turn, as they are and with their hops in a batch before the rest."""
    of_hops = ("hops", "hop_inputs", "hop_outputs")
    told = {case: {"events": 0.0, "arrivals": 0.0, "seconds": 0.0} for case in _ORDERS}
    for first, second in zip(ordered, disordered, strict=True):
        hops = Batch.of({name: getattr(second, name) for name in of_hops})
        others = replace(second, **{name: getattr(Batch.empty(), name) for name in of_hops})
        for case, batches in zip(_ORDERS, ([first], [hops, others]), strict=True):
            for name, value in _timed(store, batches).items():
                told[case][name] += value
    return told


def _timed(store: lineage.Store, batches: Sequence[Batch]) -> dict[str, float]:
    began = time.perf_counter()
    applied = [store.apply_batch(batch) for batch in batches]
    return {
        "seconds": time.perf_counter() - began,
        "events": sum(one.events for one in applied),
        "arrivals": sum(one.arrivals for one in applied),
    }


def _cases(store: lineage.Store, last: Batch) -> Iterator[tuple[str, Batch]]:
    yield "the last batch once more", last
    rows = store.sql("SELECT message_id FROM message ORDER BY message_id").fetchall()
    messages = [row[0] for row in rows]
    some = Random(1).sample(messages, min(_SPREAD, len(messages)))  # noqa: S311 -- no secret
    spread = [_hop(str(uuid.UUID(int=i + 1)), [one]) for i, one in enumerate(some)]
    yield "hops on messages of all of history", from_events(spread)
    shard = _hop("shard", messages[-_SHARD:], ["shard"])
    yield "one hop with 100,000 inputs", from_events([shard])
    yield "random ids (UUIDv4)", from_events(_with_random_ids())
    yield "a sink declared anew", from_events([_declared()])
    yield "a late policy", from_events([_policy()])


def _hop(hop_id: str, inputs: list[str], outputs: list[str] | None = None) -> Event:
    return {
        "event": "RecordsMoved",
        "hop_id": hop_id,
        "run_id": "disorder",
        "job": "disorder",
        "operation": "COPY",
        "source": company.ORIGIN,
        "target": "disorder.copies",
        "inputs": inputs,
        "outputs": outputs or [],
        "declassification": None,
        "moved_at": "2030-01-01T00:00:00Z",
    }


def _with_random_ids() -> list[Event]:
    random = Random(2)  # noqa: S311 -- no secret
    party = {
        "tier": "FREE",
        "region": "US",
        "ai_training_consent": True,
        "third_party_consent": True,
    }
    events: list[Event] = []
    for _ in range(_RANDOM_IDS):
        message, hop = (str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(2))
        events.append(
            {
                "event": "MessageSent",
                "message_id": message,
                "channel": "DIRECT",
                "parties": [
                    {"role": "SENDER", "member_id": "a", **party},
                    {"role": "RECIPIENT", "member_id": "b", **party},
                ],
                "dataset": company.ORIGIN,
                "sent_at": "2030-01-01T00:00:00Z",
            }
        )
        events.append(_hop(hop, [message]))
    return events


def _declared() -> Event:
    return {
        "event": "DatasetDeclared",
        "declaration_id": "disorder",
        "dataset": company.INSIGHTS,
        "kind": "SINK",
        "party": "THIRD",
        "recipient": "Disorder",
        "declared_at": "2020-01-01T00:00:00Z",
    }


def _policy() -> Event:
    return {
        "event": "PolicyPublished",
        "policy_id": "disorder",
        "effective_at": "2025-01-01T00:00:00Z",
        "disclosed_at": "2025-01-01T00:00:00Z",
        "document": BUILT_IN_DOCUMENT,
    }


if __name__ == "__main__":
    main()
