"""A record with a header name that is no text is read as any other, and stops no worker."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

import lineage
from lineage.codec import MESSAGE_SENT, Encoder, LocalIds
from streams.kafka.fetch.batches import BoundedRecords
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC
from tests.lineage.events.builders import message
from tests.streams.kafka_helpers import read_all
from tests.streams.workers import Worker

_CRC_AT, _CRC_END = 17, 21
Header = tuple[str, bytes | None]


def batch(compression: int, *all_headers: list[Header]) -> bytearray:
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 1 << 20)
    for offset, headers in enumerate(all_headers):
        builder.append(offset, 1_000 + offset, b"k%d" % offset, b"v%d" % offset, headers)
    return bytearray(builder.build())


def spoilt(data: bytearray) -> bytearray:
    """Make the name of a header that is "??" bytes that are no UTF-8."""
    at = data.find(b"??")
    data[at] = 0xFF
    struct.pack_into(">I", data, _CRC_AT, calc_crc32c(memoryview(data)[_CRC_END:]))
    return data


def read(data: bytes) -> list[tuple[Any, ...]]:
    records, found = BoundedRecords(data), []
    while records.has_next():
        one = records.next_batch()
        assert one.validate_crc()
        found += [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in one]
        assert one.next_offset == one.base_offset + 3
    return found


HEADERS: list[list[Header]] = [[("a", b"1"), ("n", None)], [("??", b"\xff")], []]


def test_a_header_name_that_is_no_text_is_spelled_out() -> None:
    names = [h[0] for record in read(bytes(spoilt(batch(0, *HEADERS)))) for h in record[4]]
    assert names == ["a", "n", "\\xff?"]
    plain = read(bytes(batch(0, *HEADERS)))
    changed = read(bytes(spoilt(batch(0, *HEADERS))))
    assert [one[:4] for one in changed] == [one[:4] for one in plain]
    assert changed[0] == plain[0] == (0, 1_000, b"k0", b"v0", HEADERS[0])


@pytest.mark.parametrize("compression", [0, 1, 4])
def test_others_are_read_as_they_are(compression: int) -> None:
    several = bytes(batch(compression, *HEADERS)) + bytes(batch(0, *HEADERS))
    assert [record[4] for record in read(several)] == [*HEADERS, *HEADERS]


@pytest.mark.kafka
def test_a_worker_goes_on_behind_it(worker: Worker) -> None:
    good = Encoder(LocalIds()).encode(message("m"))

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=worker.bootstrap) as producer:
            some = producer.create_batch()
            for value, headers in ((b"bad", [("??", b"1")]), (good, [("a", b"1")])):
                some.append(key=b"k", value=value, timestamp=None, headers=headers)
            some.close()
            some._buffer = spoilt(bytearray(some._build()))
            await (await producer.send_batch(some, MESSAGE_SENT.topic, partition=0))

    asyncio.run(send())
    worker.drain(quiet=False)
    with lineage.open(worker.db, read_only=True) as store:
        assert store.sql("SELECT count(*) FROM message").fetchone() == (1,)
        assert store.sql("SELECT count(*) FROM dead_letter").fetchone() == (1,)
    (letter,) = read_all(worker.bootstrap, DEAD_LETTER_TOPIC)
    assert ("original.\\xff?", b"1") in letter.headers
