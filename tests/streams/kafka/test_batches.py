"""A batch that unpacks to too much, or is damaged, is a dead letter, and what follows is read."""

from __future__ import annotations

import asyncio
import hashlib
import struct
import subprocess
import sys
from dataclasses import replace
from typing import Any

import cramjam
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch

import lineage
from lineage.codec import MESSAGE_SENT, Encoder, LocalIds
from streams.kafka.fetch.batches import BoundedRecords
from streams.kafka.fetch.consumer import bound_gzip
from streams.kafka.fetch.unpack import CODECS, UnpackError, unpacked
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.records import Records, RefusedBatch
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC
from tests.lineage.events.builders import message
from tests.streams.kafka_helpers import read_all
from tests.streams.workers import BATCH_BYTES_MAX, Worker

MIB = 1 << 20
LIMITS = replace(KAFKA_LIMITS, unpacked_bytes_max=BATCH_BYTES_MAX)
HEADER_BYTES = 61
_CRC_AT, _CRC_END = 17, 21


def batch(codec: int, *values: bytes, filler: int = 0, first: int = 0) -> bytes:
    """A batch of records; `filler`: so many zeros in a header of each."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 30)
    for offset, value in enumerate(values):
        builder.append(offset, 1_000 + offset, None, value, [("filler", bytes(filler))])
    built = bytearray(builder.build())
    struct.pack_into(">q", built, 0, first)
    return bytes(built)


def signed(data: bytearray) -> bytes:
    struct.pack_into(">I", data, _CRC_AT, calc_crc32c(memoryview(data)[_CRC_END:]))
    return bytes(data)


def read(data: bytes, limits: KafkaLimits = LIMITS) -> list[Any]:
    records, found = BoundedRecords(data, limits), []
    while records.has_next():
        one = records.next_batch()
        assert one.validate_crc()
        found += [*one]
    return found


@pytest.mark.parametrize("codec", CODECS)
def test_a_bomb_stands_for_its_offsets_and_what_is_beside_it_is_read(codec: int) -> None:
    under = batch(codec, b"under", filler=BATCH_BYTES_MAX - 100)
    bomb = batch(codec, b"a", b"b", filler=BATCH_BYTES_MAX // 2 + 1, first=1)
    first, refused, last = read(under + bomb + batch(0, b"after", first=3))
    assert (first.value, last.value) == (b"under", b"after")
    assert isinstance(refused, RefusedBatch)
    assert (refused.first, refused.offset, refused.value) == (1, 2, None)
    assert refused.sha256 == hashlib.sha256(bomb).hexdigest()
    told = f"a batch of {len(bomb):,} bytes, offsets 1 to 2, unpacks to more than 8 MiB; "
    assert refused.reason.startswith(told)


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_packed_is_unpacked_and_what_is_damaged_is_told(codec: int) -> None:
    packed = batch(codec, *(b"value %d" % number for number in range(1_000)))
    assert [one.value for one in read(packed)] == [b"value %d" % one for one in range(1_000)]
    for damage in (slice(HEADER_BYTES, HEADER_BYTES + 8), slice(-40, -20)):
        data = bytearray(packed)
        data[damage] = bytes(255 - one for one in data[damage])
        found = read(signed(data) + batch(0, b"after", first=1_000))
        assert found[-1].value == b"after"
        assert len(found) == 1_001 or found[0].reason.count("damaged")
    cut = bytearray(packed[:-10])
    struct.pack_into(">i", cut, 8, len(cut) - 12)
    refused, after = read(signed(cut) + batch(0, b"after", first=1_000))
    assert (refused.offset, after.value) == (999, b"after")
    assert "damaged" in refused.reason


def test_lengths_that_lie_take_no_memory_and_no_time() -> None:
    for length in (b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\xff\xff"):
        with pytest.raises(UnpackError):
            unpacked(2, length + b"\0" * 20, MIB)
    xerial = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)
    for size in (-4, 0, 1 << 30):
        with pytest.raises(UnpackError, match="damaged"):
            unpacked(2, xerial + struct.pack(">i", size) + b"abcdefgh", MIB)
    block = bytes(cramjam.snappy.compress_raw(b"plain"))
    assert bytes(unpacked(2, block, MIB)) == b"plain"
    framed = xerial + (struct.pack(">i", len(block)) + block) * 2
    assert bytes(unpacked(2, framed, 10, 3)[3:]) == b"plainplain"
    with pytest.raises(UnpackError, match="more than"):
        unpacked(2, framed, 9)
    with pytest.raises(UnpackError, match="number 6"):
        unpacked(6, b"", MIB)


def test_more_records_than_a_batch_may_have_are_refused() -> None:
    some = batch(4, *[b"v"] * 100)
    assert len(read(some, replace(LIMITS, batch_records_max=100))) == 100
    (refused,) = read(some, replace(LIMITS, batch_records_max=99))
    assert "has 100 records, and at most 99 are read" in refused.reason


@pytest.mark.parametrize("limit", [{"fetched_bytes_max": MIB}, {"fetched_records_max": 1}])
def test_batches_that_come_to_much_together_come_apart(limit: dict[str, int]) -> None:
    several = b"".join(batch(4, b"a", filler=MIB - 1000, first=number) for number in range(5))
    assert len(read(several)) == 5
    assert len(read(several, replace(LIMITS, **limit))) == 2


def test_records_are_told_from_what_stands_for_others() -> None:
    refused = RefusedBatch(3, 5, "too large", "ab")
    some = Records("t", 1, [1, 2, 5, 6], [b"1", b"2", None, b"6"], refused=[refused])
    kept = some.read()
    assert kept is not None
    assert (kept.offsets, kept.values) == ([1, 2, 6], [b"1", b"2", b"6"])
    (letter,) = some.refusals()
    assert (letter.source, letter.partition, letter.position) == ("t", 1, 3)
    assert (letter.reason, letter.sha256, letter.value) == ("too large", "ab", None)
    later = some.since(6)
    assert later is not None
    assert (later.refusals(), later.offsets) == ([], [6])
    alone = Records("t", 1, [5], [None], refused=[refused])
    assert alone.read() is None


PEAK = """
import cramjam, sys
from pathlib import Path
from streams.kafka.fetch.consumer import bound_gzip
from streams.kafka.fetch.unpack import UnpackError, unpacked
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) >> 10
packed = bytes.fromhex(sys.stdin.read())
before = peak()
for codec in (1, 3, 4):
    try:
        unpacked(codec, packed, 8 << 20)
    except UnpackError:
        pass
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("codec", [1, 3, 4])
def test_a_bomb_takes_no_more_memory_than_the_limit(codec: int) -> None:
    zeros = bytes(300 * MIB)
    packed = batch(codec, zeros)[HEADER_BYTES:]
    done = subprocess.run(
        [sys.executable, "-c", PEAK], input=packed.hex(), capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 60


@pytest.mark.kafka
def test_a_worker_notes_bombs_and_goes_on_behind_them(worker: Worker) -> None:
    events = [Encoder(LocalIds()).encode(message(f"m{number}")) for number in range(10)]
    bombs = [batch(codec, bytes(64 * MIB), b"") for codec in CODECS]
    under = [
        batch(codec, events[codec], filler=BATCH_BYTES_MAX - len(events[codec]) - 100)
        for codec in CODECS
    ]

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=worker.bootstrap) as producer:
            # In one partition: each but the first comes behind a bomb.
            pairs = [data for pair in zip(under, bombs, strict=True) for data in pair]
            for data in [*pairs, batch(0, events[9]), bombs[-1]]:
                some = producer.create_batch()
                some.append(key=None, value=b"", timestamp=None)
                some.close()
                some._buffer = bytearray(data)
                await (await producer.send_batch(some, MESSAGE_SENT.topic, partition=0))

    asyncio.run(send())
    for _ in range(2):  # the second time nothing is left, not even of the last bomb
        process = worker.start(once="once", slow="bounded")
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert "Traceback" not in said
        with lineage.open(worker.db, read_only=True) as store:
            found = store.sql("SELECT message_id FROM message ORDER BY ALL").fetchall()
            assert found == [("m1",), ("m2",), ("m3",), ("m4",), ("m9",)]
            letters = store.sql("SELECT position, reason FROM dead_letter ORDER BY ALL").fetchall()
            assert store.positions()[MESSAGE_SENT.topic, 0] == 15
        assert [position for position, _ in letters] == [1, 4, 7, 10, 13]
        assert all("unpacks to more than 8 MiB" in reason for _, reason in letters)
    on_topic = read_all(worker.bootstrap, DEAD_LETTER_TOPIC)
    assert {dict(one.headers)["position"] for one in on_topic} == {b"1", b"4", b"7", b"10", b"13"}
    assert all(one.value is None for one in on_topic)


def test_consumers_that_sample_unpack_no_more_either() -> None:
    bound_gzip(LIMITS)
    under = DefaultRecordBatch(batch(1, b"v", filler=BATCH_BYTES_MAX - 100))
    assert [one.value for one in under] == [b"v"]
    with pytest.raises(CorruptRecordError, match="unpacks to more than 8 MiB"):
        list(DefaultRecordBatch(batch(1, b"v", filler=BATCH_BYTES_MAX)))
    bound_gzip(KAFKA_LIMITS)
