"""Fetched records become the same batch here and in a second process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from lineage.codec import (
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    DeadLetter,
    Encoder,
    LocalIds,
    RegistryError,
)
from lineage.codec.wire import NO_SCHEMA_ID
from lineage.errors import DecoderProcessError
from lineage.ingest.decoder_process import DecoderProcess
from lineage.ingest.encode import EncodedBatch
from streams.kafka.records import Header, Records
from streams.worker.limits import WORKER_LIMITS, WorkerLimits
from streams.worker.pipeline.decode import Decoders
from tests.lineage.events.builders import message, policy
from tests.lineage.ingest.test_decoder_process import loaded
from tests.stores import new_store

ENCODER = Encoder(LocalIds())
LOST = DeadLetter.of("messaging.message.sent.v1", 3, 8, "was gone", None)


def records(topic: str, partition: int, values: list[bytes | None]) -> Records:
    return Records(topic, partition, range(7, 7 + len(values)), values)


LISTS = [
    records(MESSAGE_SENT.topic, 0, [ENCODER.encode(message("m0")), None, b"broken"]),
    records(
        POLICY_PUBLISHED.topic, 1, [ENCODER.encode({**policy("p"), "document": "rules: none"})]
    ),
    records(MESSAGE_SENT.topic, 1, [ENCODER.encode(message("m1"))]),
]


ALL_THERE = replace(WORKER_LIMITS, decoder_process_events_min=0)
"""However little it is, it is decoded in the second process."""


def opened(registry_url: str | None = None, limits: WorkerLimits = ALL_THERE) -> Decoders:
    decoders = Decoders(registry_url, limits)
    decoders.open()
    return decoders


def outcome(parts: Sequence[EncodedBatch]) -> tuple[object, ...]:
    with new_store() as store:
        for part in parts:
            store.apply_batch(part)
        letters = tuple(letter for part in parts for letter in part.dead_letters)
        return sum(part.events for part in parts), letters, store.digest()


@pytest.mark.slow
def test_here_and_there_give_the_same() -> None:
    here = outcome(Decoders(None).encoded(LISTS, [LOST]))
    with closing(opened()) as there:
        there._decoder.decode = None  # type: ignore[method-assign,assignment]  # not to be used
        assert [outcome(there.encoded(LISTS, [LOST])) for _ in range(2)] == [here, here]
    events, letters, _ = here
    assert events == 2
    assert isinstance(letters, tuple)
    assert [(one.source, one.partition, one.position, one.value) for one in letters] == [
        (LOST.source, 3, 8, None),
        (MESSAGE_SENT.topic, 0, 8, None),
        (MESSAGE_SENT.topic, 0, 9, b"broken"),
        (POLICY_PUBLISHED.topic, 1, 7, LISTS[1].values[0]),
    ]


@pytest.mark.slow
def test_a_process_that_was_killed_is_told_however_little_there_is_to_decode() -> None:
    with closing(opened(limits=WORKER_LIMITS)) as decoders:
        process = decoders._process
        assert process is not None
        assert decoders.encoded(LISTS, [])[0].events == 2
        process._process.kill()
        process._process.wait()
        with pytest.raises(DecoderProcessError, match="ended with code -9"):
            decoders.encoded(LISTS, [])


def test_little_is_decoded_here() -> None:
    with closing(opened(limits=WORKER_LIMITS)) as here, pytest.MonkeyPatch.context() as patching:
        patching.setattr(DecoderProcess, "call", None)
        assert here.encoded(LISTS, [])[0].events == 2


@pytest.mark.slow
def test_a_registry_that_is_away_is_told_from_there() -> None:
    with (
        closing(opened("http://127.0.0.1:9")) as there,
        pytest.raises(RegistryError, match=r"127\.0\.0\.1:9"),
    ):
        there.encoded(LISTS, [])


@pytest.mark.slow
def test_the_second_process_has_the_decoder_at_once_and_no_kafka() -> None:
    with closing(opened()) as there:
        process = there._process
        assert process is not None
        assert process.call(loaded, "streams.worker.pipeline.decode")
        assert not process.call(loaded, "faust")
        there.encoded(LISTS, [])
        assert not process.call(loaded, "faust")


def hop(number: int) -> dict[str, object]:
    """A hop of as many records as one may have, each input into each output."""
    return {
        "event": "RecordsMoved",
        "hop_id": f"h{number}",
        "run_id": "r",
        "job": "j",
        "operation": "TRAIN",
        "source": "s",
        "target": "t",
        "inputs": [f"i{n}" for n in range(1_000)],
        "outputs": [f"o{n}" for n in range(1_000)],
        "declassification": None,
        "moved_at": "2024-09-18T00:00:00Z",
    }


def test_hops_that_bring_very_much_are_no_batch_together() -> None:
    values: list[bytes | None] = [ENCODER.encode(hop(number)) for number in range(9)]
    values.insert(4, b"broken")
    parts = Decoders(None).encoded([records(RECORDS_MOVED.topic, 0, values)], [LOST])
    assert len(parts) > 4
    assert sum(part.events for part in parts) == 9
    letters = [letter for part in parts for letter in part.dead_letters]
    assert sorted(letter.position for letter in letters) == [8, 11]


@dataclass
class Original:
    """A record as a client of Kafka gives it."""

    value: bytes | None
    headers: Sequence[Header] = (("__value_schema_id", b"\x01" + bytes(16)),)
    key: bytes | None = None
    timestamp: int | None = None


@pytest.mark.slow
def test_a_schema_id_in_a_header_is_told_here_and_there() -> None:
    whole = ENCODER.encode(message("m0"))
    values: list[bytes | None] = [whole[5:], whole[5:], whole, b"\x00\x00\x00\x00\x01?"]
    originals = [Original(value) for value in values]
    originals[1].headers = [("trace", None)]
    fetched = replace(records(MESSAGE_SENT.topic, 0, values), originals=originals)
    with closing(opened()) as there:
        for decoders in (Decoders(None), there):
            (part,) = decoders.encoded([fetched], [])
            assert part.events == 1
            told = {letter.position: letter.reason for letter in part.dead_letters}
            assert set(told) == {7, 8, 10}
            assert told[7].startswith(f"{NO_SCHEMA_ID}; the record has it in the header __value_")
            assert told[8] == NO_SCHEMA_ID
            assert "header" not in told[10]
