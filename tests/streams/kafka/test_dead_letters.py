"""The record that tells of a dead letter: its names, and what gives way where it is too large."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from lineage.codec import DeadLetter
from streams.kafka.dead_letters.records import record
from streams.kafka.producer import send_dead_letters
from streams.kafka.records import Header, OutgoingRecord, Records, originals_at

LETTER = DeadLetter.of("t", 2, 7, "is wrong", b"value")
OURS = {"reason", "source", "partition", "position", "sha256"}


@dataclass
class Original:
    """A record as a client of Kafka gives it."""

    value: bytes | None = b"value"
    key: bytes | None = b"\xff"
    headers: Sequence[Header] = (("reason", b"theirs"), ("n", None), ("n", b"2"))
    timestamp: int | None = 1_700_000_000_000


def test_the_headers_of_the_original_are_apart_from_ours() -> None:
    found = record(LETTER, Original())
    assert (found.key, found.value) == (b"t/2/7", b"value")
    assert {name for name, _ in record(LETTER).headers} == OURS
    assert [*found.headers][:5] == [*record(LETTER).headers]
    assert [*found.headers][5:] == [
        ("timestamp", b"1700000000000"),
        ("key", b"\xff"),
        ("original.reason", b"theirs"),
        ("original.n", None),
        ("original.n", b"2"),
    ]
    without = record(LETTER, Original(key=None, headers=(), timestamp=None))
    assert without == record(LETTER)


@dataclass
class SmallTopic:
    """A topic that takes records of so many bytes."""

    bytes_max: int
    taken: list[OutgoingRecord] = field(default_factory=list)

    async def __call__(self, topic: str, records: Sequence[OutgoingRecord]) -> Sequence[int]:
        too_large = [i for i, one in enumerate(records) if _size(one) > self.bytes_max]
        self.taken += [one for i, one in enumerate(records) if i not in too_large]
        return too_large


def _size(one: OutgoingRecord) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in one.headers)
    return len(one.key or b"") + len(one.value or b"") + headers


@pytest.mark.parametrize(
    ("value", "header", "kept", "told"),
    [
        (10, 10, {"value", "headers"}, {}),
        (2_000, 10, {"headers"}, {"omitted-bytes": b"2000"}),
        (10, 2_000, {"value"}, {"omitted-headers": b"2"}),
        (2_000, 1_500, set(), {"omitted-bytes": b"2000", "omitted-headers": b"2"}),
    ],
)
def test_what_takes_most_gives_way_where_a_topic_takes_less(
    value: int, header: int, kept: set[str], told: dict[str, bytes]
) -> None:
    topic = SmallTopic(1_000)
    letters = [DeadLetter.of("t", 2, 7, "is wrong", b"v" * value), LETTER]
    original = Original(headers=[("h", b"h" * header)])
    asyncio.run(send_dead_letters(topic, letters, {("t", 2, 7): original}))
    assert len(topic.taken) == 2
    found = topic.taken[-1] if told else topic.taken[0]
    tags = dict(found.headers)
    assert set(tags) >= OURS
    assert ("value" in kept) == (found.value is not None)
    assert ("headers" in kept) == ("original.h" in tags) == ("key" in tags)
    assert {name: tags[name] for name in tags if name.startswith("omitted")} == told


def test_originals_are_found_by_their_place_and_go_to_no_other_process() -> None:
    offsets = [3, 4, 9]
    values: list[bytes | None] = [b"a", None, b"c"]
    originals = [Original(key=b"%d" % at) for at in offsets]
    records = Records("t", 1, offsets, values, None, originals)
    rest = records.since(4)
    assert rest is not None
    assert rest.original_at(9) is originals[2]
    assert records.original_at(5) is None
    assert records.without_originals().original_at(3) is None
    lists = [Records("t", 0, offsets, values), Records("t", 1, [1], [b""]), rest]
    places = [("t", 1, 4), ("t", 1, 3), ("t", 0, 3), ("u", 1, 4)]
    assert originals_at(lists, places) == {("t", 1, 4): originals[1]}
