"""Decodes fetched records to encoded batches, ready to be recorded; many in a second process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from lineage.codec import Batch, DeadLetter, Decoder
from lineage.codec.log.portions import portions
from lineage.ingest.decoder_process import DecoderProcess
from lineage.ingest.encode import EncodedBatch, encode
from streams.kafka.dead_letters.records import explained
from streams.kafka.limits import KafkaLimits
from streams.kafka.records import Records, originals_at
from streams.kafka.registry.client import registry_at
from streams.kafka.registry.rest import Address
from streams.worker.limits import WORKER_LIMITS, WorkerLimits

__all__ = ["Decoders", "decode_and_encode"]


class Decoders:
    """Decodes fetched records. Call its methods from one thread at a time."""

    def __init__(
        self, registry_url: Address | str | None, limits: WorkerLimits = WORKER_LIMITS
    ) -> None:
        self._registry_url = registry_url
        self._limits = limits
        self._decoder = Decoder(registry_at(registry_url, limits.kafka))
        self._process: DecoderProcess | None = None

    def open(self) -> None:
        """Start the second process; without it, everything is decoded here."""
        self._process = self._process or DecoderProcess(__name__)

    def close(self) -> None:
        """End the second process."""
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def encoded(
        self, lists: Sequence[Records], letters: Sequence[DeadLetter]
    ) -> list[EncodedBatch]:
        """Decode and encode, here or in the second process.

        Raises DecoderProcessError where that process has ended.
        """
        if self._process is not None:
            self._process.check()  # else one that was killed would be found out by a large list
        few = sum(map(len, lists)) < self._limits.decoder_process_events_min
        if self._process is None or few:
            parts = decode_and_encode(self._decoder, lists, letters)
        else:
            bare = [one.without_originals() for one in lists]
            parts = self._process.call(
                _decode_in_process, self._registry_url, self._limits.kafka, bare, letters
            )
        return [_told_by_headers(part, lists) for part in parts]


def decode_and_encode(
    decoder: Decoder, lists: Sequence[Records], letters: Sequence[DeadLetter]
) -> list[EncodedBatch]:
    """Decode fetched lists to batches: one, or several where very large hops come together.

    The batches have `letters` and the lists' own dead letters, with the bytes of Kafka. Raises the
    errors of `Decoder.decode`.
    """
    topics: dict[str, list[Records]] = {}
    for one in lists:
        topics.setdefault(one.topic, []).append(one)
    batches = [_of_topic(decoder, of_topic) for of_topic in topics.values()]
    batch = Batch.concat([Batch.of({}, letters), *batches])
    return [_encoded(part, topics) for part in portions(batch)]


def _encoded(batch: Batch, topics: Mapping[str, Sequence[Records]]) -> EncodedBatch:
    encoded = encode(batch)
    # A policy's document is judged by lineage, not by its schema.
    late = encoded.dead_letters[len(batch.dead_letters) :]
    if not late:
        return encoded
    originals = [_with_original(one, topics[one.source]) for one in late]
    return replace(encoded, dead_letters=(*batch.dead_letters, *originals))


def _told_by_headers(part: EncodedBatch, lists: Sequence[Records]) -> EncodedBatch:
    """Return the batch with reasons of its dead letters that look at their records' headers."""
    places = ((one.source, one.partition, one.position) for one in part.dead_letters)
    originals = originals_at(lists, places)
    if not any(original.headers for original in originals.values()):
        return part
    letters = list(part.dead_letters)
    for index, one in enumerate(letters):
        original = originals.get((one.source, one.partition, one.position))
        if original is not None:
            letters[index] = replace(one, reason=explained(one.reason, original.headers))
    return replace(part, dead_letters=tuple(letters))


def _decode_in_process(
    registry_url: Address | str | None,
    limits: KafkaLimits,
    lists: Sequence[Records],
    letters: Sequence[DeadLetter],
) -> list[EncodedBatch]:
    return decode_and_encode(_process_decoder(registry_url, limits), lists, letters)


@lru_cache(maxsize=1)
def _process_decoder(registry_url: Address | str | None, limits: KafkaLimits) -> Decoder:
    """Return the decoder of the second process, which keeps what it has learnt about schemas."""
    return Decoder(registry_at(registry_url, limits))


def _of_topic(decoder: Decoder, lists: Sequence[Records]) -> Batch:
    """Decode the lists of one topic in one go: a small list alone costs as much as a large one."""
    return decoder.decode(
        lists[0].topic,
        np.repeat([one.partition for one in lists], [len(one) for one in lists]),
        np.concatenate([np.asarray(one.offsets) for one in lists]),
        [value for one in lists for value in one.values],
    )


def _with_original(letter: DeadLetter, candidates: Sequence[Records]) -> DeadLetter:
    values = (
        records.value_at(letter.position)
        for records in candidates
        if records.partition == letter.partition
    )
    value = next((value for value in values if value is not None), None)
    return DeadLetter.of(letter.source, letter.partition, letter.position, letter.reason, value)
