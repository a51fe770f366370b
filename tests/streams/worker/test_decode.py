"""What was fetched becomes the same batch here and in a second process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

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
from lineage.ingest.decoder_process import DecoderProcess
from lineage.ingest.encode import EncodedBatch
from streams.kafka.records import Records
from streams.worker import decode
from streams.worker.decode import Decoders
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


def beside(registry_url: str | None, monkeypatch: pytest.MonkeyPatch) -> Decoders:
    """Decodes in the second process, however little it is."""

    def not_here(*_: object) -> EncodedBatch:
        raise AssertionError("it was decoded here")

    monkeypatch.setattr(decode, "_BESIDE_EVENTS", 0)
    monkeypatch.setattr(decode, "decoded", not_here)
    there = Decoders(registry_url)
    there.open()
    return there


def outcome(parts: Sequence[EncodedBatch]) -> tuple[object, ...]:
    with new_store() as store:
        for part in parts:
            store.apply_batch(part)
        letters = tuple(letter for part in parts for letter in part.dead_letters)
        return sum(part.events for part in parts), letters, store.digest()


@pytest.mark.slow
def test_here_and_there_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    here = outcome(Decoders(None).prepared(LISTS, [LOST]))
    with closing(beside(None, monkeypatch)) as there:
        assert [outcome(there.prepared(LISTS, [LOST])) for _ in range(2)] == [here, here]
    events, letters, _ = here
    assert events == 2
    assert isinstance(letters, tuple)
    assert [(one.source, one.partition, one.position, one.value) for one in letters] == [
        (LOST.source, 3, 8, None),
        (MESSAGE_SENT.topic, 0, 8, None),
        (MESSAGE_SENT.topic, 0, 9, b"broken"),
        (POLICY_PUBLISHED.topic, 1, 7, LISTS[1].values[0]),
    ]


def test_little_is_decoded_here() -> None:
    with closing(Decoders(None)) as here:
        here.open()
        with pytest.MonkeyPatch.context() as patching:
            patching.setattr(DecoderProcess, "call", None)
            assert here.prepared(LISTS, [])[0].events == 2


def test_a_registry_that_is_away_is_told_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        closing(beside("http://127.0.0.1:9", monkeypatch)) as there,
        pytest.raises(RegistryError, match=r"127\.0\.0\.1:9"),
    ):
        there.prepared(LISTS, [])


@pytest.mark.slow
def test_the_second_process_has_the_decoder_at_once_and_no_kafka(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decode, "_BESIDE_EVENTS", 0)
    with closing(Decoders(None)) as there:
        there.open()
        process = there._process
        assert process is not None
        assert process.call(loaded, "streams.worker.decode")
        assert not process.call(loaded, "faust")
        there.prepared(LISTS, [])
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
    parts = Decoders(None).prepared([records(RECORDS_MOVED.topic, 0, values)], [LOST])
    assert len(parts) > 4
    assert sum(part.events for part in parts) == 9
    letters = [letter for part in parts for letter in part.dead_letters]
    assert sorted(letter.position for letter in letters) == [8, 11]
