"""Times single batches that are not in the order of time, upon a history; prints JSON.

{case: {"events", "arrivals", "seconds"}}, each applied once, in this order. The history is all of
LOG but its last events, which are the cases "in order" and "hops before their messages".
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import lineage
from lineage.policy import BUILT_IN_DOCUMENT
from schemas import Batch, from_events, read_log
from streams.simulate import world

_SPREAD = 10_000
_SHARD = 100_000
_RANDOM_IDS = 10_000

Event = dict[str, object]


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--batch", type=int, required=True, help="events of the cases in order")
    asked = parser.parse_args()
    told: dict[str, dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        lineage.open(Path(folder) / "disorder.duckdb") as store,
    ):
        # The last one is what was left over.
        *history, first, second, _ = read_log(asked.log, batch_events=asked.batch)
        for batch in history:
            store.apply_batch(batch)
        for case, batches in _cases(store, first, second):
            told[case] = _timed(store, batches)
    print(json.dumps(told))


def _timed(store: lineage.Store, batches: Sequence[Batch]) -> dict[str, float]:
    began = time.perf_counter()
    applied = [store.apply_batch(batch) for batch in batches]
    return {
        "seconds": time.perf_counter() - began,
        "events": sum(one.events for one in applied),
        "arrivals": sum(one.arrivals for one in applied),
    }


def _cases(
    store: lineage.Store, first: Batch, second: Batch
) -> Iterator[tuple[str, Sequence[Batch]]]:
    yield "in order", [first]
    of_hops = ("hops", "hop_inputs", "hop_outputs")
    hops = Batch.of({name: getattr(second, name) for name in of_hops})
    rest = replace(second, **{name: getattr(Batch.empty(), name) for name in of_hops})
    yield "hops before their messages", [hops, rest]
    yield "all of it once more", [second]
    rows = store.sql("SELECT message_id FROM message ORDER BY message_id").fetchall()
    messages = [row[0] for row in rows]
    some = Random(1).sample(messages, min(_SPREAD, len(messages)))  # noqa: S311 -- no secret
    spread = [_hop(str(uuid.UUID(int=i + 1)), [one]) for i, one in enumerate(some)]
    yield "hops on messages of all of history", [from_events(spread)]
    shard = _hop("shard", messages[-_SHARD:], ["shard"])
    yield "one hop with 100,000 inputs", [from_events([shard])]
    yield "random ids (UUIDv4)", [from_events(_with_random_ids())]
    yield "a sink declared anew", [from_events([_declared()])]
    yield "a late policy", [from_events([_policy()])]


def _hop(hop_id: str, inputs: list[str], outputs: list[str] | None = None) -> Event:
    return {
        "event": "RecordsMoved",
        "hop_id": hop_id,
        "run_id": "disorder",
        "job": "disorder",
        "operation": "COPY",
        "source": world.ORIGIN,
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
                "dataset": world.ORIGIN,
                "sent_at": "2030-01-01T00:00:00Z",
            }
        )
        events.append(_hop(hop, [message]))
    return events


def _declared() -> Event:
    return {
        "event": "DatasetDeclared",
        "declaration_id": "disorder",
        "dataset": world.INSIGHTS,
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
