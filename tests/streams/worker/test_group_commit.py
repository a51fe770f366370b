"""The group committer's order of things, on a store in memory: no Kafka, no Faust."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from lineage import BatchResult
from lineage.codec import MESSAGE_SENT, DeadLetter, Encoder, LocalIds
from lineage.ingest.encode import EncodedBatch
from streams.kafka.records import Header, OutgoingRecord, Records
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, FLAG_TOPIC
from streams.worker.limits import WORKER_LIMITS, WorkerLimits
from streams.worker.pipeline.decode import Decoders
from streams.worker.pipeline.group_commit import GroupCommitter, Partition
from streams.worker.pipeline.sink import StoreSink

REGISTRY = LocalIds()
TOPIC = MESSAGE_SENT.topic


def message(number: int) -> bytes:
    party = {
        "tier": "PREMIUM_CAREER",
        "region": "US",
        "ai_training_consent": True,
        "third_party_consent": True,
    }
    return Encoder(REGISTRY).encode(
        {
            "event": "MessageSent",
            "message_id": f"m{number}",
            "channel": "INMAIL",
            "parties": [
                {"role": "SENDER", "member_id": "a", **party},
                {"role": "RECIPIENT", "member_id": "b", **party},
            ],
            "dataset": "undeclared",
            "sent_at": "2024-09-18T00:00:00Z",
        }
    )


def records(
    first: int, values: Sequence[bytes | None], partition: int = 0, at: int | None = None
) -> Records:
    offsets = list(range(first, first + len(values)))
    return Records(TOPIC, partition, offsets, values, at)


class Watched(StoreSink):
    """A store in memory that notes what it is asked to do."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(":memory:", Encoder(REGISTRY))
        self.told = told
        self.error: Exception | None = None
        self.positions_of_commits: list[dict[Partition, int]] = []

    def apply(
        self,
        batch: EncodedBatch,
        positions: Mapping[Partition, int],
        hashes: Mapping[Partition, str],
    ) -> BatchResult:
        if self.error is not None:
            raise self.error
        self.told.append(f"commit {batch.events}+{len(batch.dead_letters)}")
        self.positions_of_commits.append(dict(positions))
        return super().apply(batch, positions, hashes)

    def count(self, what: str) -> int:
        row = self._store.sql(f"SELECT count(*) FROM {what}").fetchone()
        assert row is not None
        return int(row[0])


class Bench:
    """A group committer, what it did in order, and what it sent."""

    def __init__(self, limits: WorkerLimits = WORKER_LIMITS) -> None:
        self.told: list[str] = []
        self.sent: list[tuple[str, bytes | None, list[Header]]] = []
        self.failed: list[BaseException] = []
        self.refuse: Exception | None = None
        self.counts: dict[str, int] = {}
        self.sink = Watched(self.told)
        self.committer = GroupCommitter(
            lambda: self.sink,
            Decoders(None).encoded,
            self.produce,
            self.failed.append,
            limits=limits,
        )

    async def produce(self, topic: str, records: Sequence[OutgoingRecord]) -> Sequence[int]:
        if self.refuse is not None:
            raise self.refuse
        if records:
            self.told.append(f"sent to {topic}")
        self.sent += [(topic, one.value, [*one.headers]) for one in records]
        return []

    async def read(self, *all_records: Records) -> None:
        for one in all_records:
            await self.committer.read(one, lambda: self.told.append("ack"))

    async def settle(self) -> None:
        while not (self.committer.idle or self.failed):
            await asyncio.sleep(0.01)


def run(scene: Callable[[Bench], Awaitable[Any]], limits: WorkerLimits = WORKER_LIMITS) -> Bench:
    async def play() -> Bench:
        bench = Bench(limits)
        await bench.committer.open()
        bench.committer.start()
        await scene(bench)
        await bench.settle()
        bench.counts = {what: bench.sink.count(what) for what in ("message", "dead_letter")}
        await bench.committer.stop()
        return bench

    return asyncio.run(asyncio.wait_for(play(), 60))


def test_dead_letters_then_the_commit_then_acknowledgements_then_flags() -> None:
    bench = run(lambda bench: bench.read(records(0, [b"bad", message(1)])))
    assert bench.told == [
        f"sent to {DEAD_LETTER_TOPIC}",
        "commit 1+1",
        "ack",
        f"sent to {FLAG_TOPIC}",
    ]


def test_what_came_to_kafka_first_is_recorded_first() -> None:
    async def later_partition_first(bench: Bench) -> None:
        for partition, at in ((0, 2_000), (1, 1_000)):
            ack = partial(bench.told.append, f"ack {partition}")
            values = [message(2 * partition), message(2 * partition + 1)]
            await bench.committer.read(records(0, values, partition, at), ack)

    told = run(later_partition_first, replace(WORKER_LIMITS, group_events_max=2)).told
    assert [one for one in told if one.startswith("ack")] == ["ack 1", "ack 0"]


def test_what_is_read_twice_is_recorded_once() -> None:
    async def overlapping(bench: Bench) -> None:
        await bench.read(records(0, [message(0), b"bad", message(1)]))
        await bench.settle()
        await bench.read(records(0, [message(0), b"bad"]))
        await bench.read(records(1, [b"bad", message(1), message(2), b"bad"]))

    bench = run(overlapping)
    assert bench.counts == {"message": 3, "dead_letter": 2}
    assert bench.committer.positions == {(TOPIC, 0): 5}
    assert bench.told.count("ack") == 3
    assert bench.told.count(f"sent to {DEAD_LETTER_TOPIC}") == 2


def test_what_comes_in_while_one_transaction_runs_goes_into_the_next_together() -> None:
    async def much(bench: Bench) -> None:
        reads = [records(0, [message(n)], partition=n) for n in range(40)]
        await asyncio.gather(*(bench.read(one) for one in reads))

    bench = run(much)
    assert bench.counts["message"] == 40
    assert bench.committer.positions == {(TOPIC, n): 1 for n in range(40)}
    assert len([what for what in bench.told if what.startswith("commit")]) < 20


def test_an_error_of_the_store_ends_it_without_an_acknowledgement() -> None:
    async def failing(bench: Bench) -> None:
        bench.sink.error = RuntimeError("disk full")
        await bench.read(records(0, [message(0)]))
        await bench.settle()
        bench.sink.error = None
        await bench.read(records(1, [message(1)]))
        await asyncio.sleep(0.1)

    bench = run(failing)
    assert [str(error) for error in bench.failed] == ["disk full"]
    assert bench.told == []


def test_nothing_is_committed_before_its_dead_letters_are_sent() -> None:
    async def refusing(bench: Bench) -> None:
        bench.refuse = OSError("broker away")
        await bench.read(records(0, [b"bad", message(0)]))

    bench = run(refusing)
    assert [str(error) for error in bench.failed] == ["broker away"]
    assert bench.told == []
    assert bench.counts == {"message": 0, "dead_letter": 0}


@pytest.mark.parametrize("value", [b"bad", None])
def test_a_dead_letter_carries_the_original_bytes_and_its_cause(value: bytes | None) -> None:
    bench = run(lambda bench: bench.read(records(7, [value], partition=3)))
    [(topic, sent, tags)] = bench.sent
    assert (topic, sent) == (DEAD_LETTER_TOPIC, value)
    named = dict(tags)
    assert set(named) == {"reason", "source", "partition", "position", "sha256"}
    assert (named["source"], named["partition"], named["position"]) == (TOPIC.encode(), b"3", b"7")


def test_what_weighs_too_much_is_committed_in_parts_and_the_positions_with_the_last() -> None:
    bench = Bench()
    decoding = Decoders(None).encoded

    def in_parts(lists: Sequence[Records], letters: Sequence[DeadLetter]) -> list[EncodedBatch]:
        return [part for one in lists for part in decoding([one], letters)]

    async def play() -> None:
        bench.committer = GroupCommitter(
            lambda: bench.sink, in_parts, bench.produce, bench.failed.append
        )
        await bench.committer.open()
        bench.committer.start()
        await asyncio.gather(
            bench.read(records(0, [message(0)], partition=0)),
            bench.read(records(0, [message(1)], partition=1)),
        )
        await bench.settle()
        bench.counts = {"message": bench.sink.count("message")}
        await bench.committer.stop()

    asyncio.run(asyncio.wait_for(play(), 60))
    assert bench.counts == {"message": 2}
    assert bench.committer.positions == {(TOPIC, 0): 1, (TOPIC, 1): 1}
    commits = [at for at, what in enumerate(bench.told) if what.startswith("commit")]
    assert len(commits) == 2
    assert bench.told.index("ack") > commits[-1]
    assert [len(to) for to in bench.sink.positions_of_commits] == [0, 2]
