"""Sends dead letters back to the topics that they were read from, once they can be decoded.

Each is decoded here first, as a worker decodes it; one that still fails stays a dead letter. What
is sent is the original record: its bytes, key and headers, to the same partition. When the broker
has acknowledged it, a note on the dead-letter topic tells where it is. A kill between the two sends
it again the next time, and so may another replay at the same time: events that come again change
nothing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from lineage.codec import Decoder
from streams.errors import PublishError
from streams.kafka.connection import KafkaConnection
from streams.kafka.dead_letters.records import explained
from streams.kafka.dead_letters.topic import StoredLetter, replay_note, stored_letters
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.records import Records
from streams.kafka.registry.client import registry_at
from streams.kafka.registry.rest import Address
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, MESSAGE_BYTES_MAX
from streams.worker.pipeline.decode import decode_and_encode

__all__ = ["DeadLetterReplay", "replay_dead_letters"]


@dataclass
class DeadLetterReplay:
    """Counts of dead letters that were looked at.

    Attributes:
        sent: Sent back to their topics now; without sending, those that would be.
        replayed_before: Sent back by an earlier replay.
        of_files: Read from a log by `publish`: a log that is mended is published again.
        without_bytes: A record that had no value, was too large to be kept, or was lost.
        still_dead: Those that cannot be decoded, by reason and in the order of their number.
    """

    sent: int = 0
    replayed_before: int = 0
    of_files: int = 0
    without_bytes: int = 0
    still_dead: Counter[str] = field(default_factory=Counter)


def replay_dead_letters(
    broker: KafkaConnection | str,
    registry_url: Address | str | None = None,
    is_wanted: Callable[[StoredLetter], bool] = lambda letter: True,
    progress: Callable[[int], None] = lambda letters: None,
    *,
    dry_run: bool = False,
    limits: KafkaLimits = KAFKA_LIMITS,
) -> DeadLetterReplay:
    """Send the dead letters that are wanted, and can be decoded now, back to their topics.

    registry_url: the worker's. progress: gets the number of further letters that were looked at.
    dry_run: send nothing. Raises BrokerUnavailableError, TopicError, RegistryError, and
    PublishError where the broker does not acknowledge a record; those before it are sent, and are
    not sent again the next time.
    """
    decoder = Decoder(registry_at(registry_url, limits))
    done = DeadLetterReplay()
    connection = KafkaConnection.of(broker)
    letters = _undecided(filter(is_wanted, stored_letters(connection, limits)), done)
    with closing(_Sender(connection, limits)) as sender:
        for some in _together(letters, limits):
            reasons = _reasons(decoder, some)
            done.still_dead.update(reasons.values())
            good = [one for index, one in enumerate(some) if index not in reasons]
            if not dry_run:
                sender.send(good)
            done.sent += len(good)
            progress(len(some))
    return done


def _undecided(letters: Iterable[StoredLetter], done: DeadLetterReplay) -> Iterator[StoredLetter]:
    """Yield the letters that are to be decoded, and count the others."""
    for stored in letters:
        if stored.replayed_to is not None:
            done.replayed_before += 1
        elif not stored.is_of_topic:
            done.of_files += 1
        elif stored.letter.value is None:
            done.without_bytes += 1
        else:
            yield stored


def _together(letters: Iterable[StoredLetter], limits: KafkaLimits) -> Iterator[list[StoredLetter]]:
    """Yield the letters in lists that are decoded and sent together."""
    some: list[StoredLetter] = []
    size = 0
    for stored in letters:
        some.append(stored)
        size += len(stored.letter.value or b"")
        if len(some) >= limits.replayed_records_max or size >= limits.replayed_bytes_max:
            yield some
            some, size = [], 0
    if some:
        yield some


def _reasons(decoder: Decoder, letters: Sequence[StoredLetter]) -> dict[int, str]:
    """Return why letters cannot be decoded, by their index."""
    topics: dict[str, list[int]] = {}
    for index, stored in enumerate(letters):
        topics.setdefault(stored.letter.source, []).append(index)
    # By index, and not by offset: a topic that was made anew has other records at the same ones.
    lists = [
        Records(topic, 0, indices, [letters[index].letter.value for index in indices])
        for topic, indices in topics.items()
    ]
    parts = decode_and_encode(decoder, lists, [])
    return {
        letter.position: explained(letter.reason, letters[letter.position].headers)
        for part in parts
        for letter in part.dead_letters
    }


class _Sender:
    """A producer that sends letters, and notes on the dead-letter topic that they were sent.

    aiokafka's, since a header may have no value, and kafka-python sends none of these.
    """

    def __init__(self, connection: KafkaConnection, limits: KafkaLimits) -> None:
        self._connection = connection
        self._bootstrap = connection.bootstrap
        self._note_topic = connection.topic(DEAD_LETTER_TOPIC)
        self._milliseconds_max = limits.delivery_seconds_max * 1000
        self._runner = asyncio.Runner()
        self._producer: AIOKafkaProducer | None = None

    def close(self) -> None:
        """Let go of the connection; what was sent is acknowledged already."""
        with self._runner as runner:
            if self._producer is not None:
                runner.run(self._producer.stop())

    def send(self, letters: Sequence[StoredLetter]) -> None:
        """Send letters and then the notes; return when all are acknowledged."""
        try:
            self._runner.run(self._send(letters))
        except KafkaError as error:
            raise PublishError(
                f"the broker at {self._bootstrap} did not acknowledge every record: "
                f"{error or type(error).__name__}; what was sent and is sent again changes "
                "nothing, so replay again when it is well"
            ) from error

    async def _send(self, letters: Sequence[StoredLetter]) -> None:
        producer = self._producer or await self._connected()
        sent = [await self._send_original(producer, stored) for stored in letters]
        places = await asyncio.gather(*sent)
        notes = [
            await self._send_note(producer, stored, f"{at.topic}/{at.partition}/{at.offset}")
            for stored, at in zip(letters, places, strict=True)
        ]
        await asyncio.gather(*notes)

    async def _connected(self) -> AIOKafkaProducer:
        arguments = {
            "bootstrap_servers": self._connection.addresses,
            "client_id": "lineage-dlq-replay",
            "acks": "all",
            "linger_ms": 20,
            "max_request_size": MESSAGE_BYTES_MAX,
            "request_timeout_ms": self._milliseconds_max,
        }
        given = self._connection.settings_for(inspect.signature(AIOKafkaProducer).parameters)
        producer = AIOKafkaProducer(**{**arguments, **given, **self._connection.access()})
        self._producer = producer
        await producer.start()
        return producer

    async def _send_original(
        self, producer: AIOKafkaProducer, stored: StoredLetter
    ) -> asyncio.Future[Any]:
        letter = stored.letter
        there = await producer.partitions_for(letter.source)
        future: asyncio.Future[Any] = await producer.send(
            letter.source,
            value=letter.value,
            key=stored.key,
            headers=stored.headers,
            partition=letter.partition if letter.partition in there else None,
        )
        return future

    async def _send_note(
        self, producer: AIOKafkaProducer, stored: StoredLetter, replayed_to: str
    ) -> asyncio.Future[Any]:
        note = replay_note(stored, replayed_to)
        # Where the letter lies, however many partitions there are by now.
        future: asyncio.Future[Any] = await producer.send(
            self._note_topic, key=note.key, headers=note.headers, partition=stored.partition
        )
        return future
