"""What the worker sends: dead letters before a commit, flags after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Protocol

from aiokafka.errors import MessageSizeTooLargeError

from schemas.batch import DeadLetter
from streams.dead_letters import headers, key
from streams.topics import DEAD_LETTER_TOPIC, FLAG_TOPIC

__all__ = ["Produce", "send_dead_letters", "send_flags"]

# So many at a time are under way: a bound on memory, far above what keeps the wire busy.
_AT_ONCE = 5_000


class Produce(Protocol):
    """Hand over one record; the inner awaitable ends when the broker has acknowledged it."""

    async def __call__(
        self, topic: str, key: bytes | None, value: bytes | None, tags: list[tuple[str, bytes]]
    ) -> Awaitable[object]:
        """Raise what the producer raises."""


async def send_dead_letters(produce: Produce, letters: Sequence[DeadLetter]) -> None:
    """Send each one with its original bytes; return when all are acknowledged."""
    for start in range(0, len(letters), _AT_ONCE):
        await asyncio.gather(*(_send_letter(produce, one) for one in letters[start:][:_AT_ONCE]))


async def _send_letter(produce: Produce, letter: DeadLetter) -> None:
    tags = headers(letter)
    try:
        await (await produce(DEAD_LETTER_TOPIC, key(letter), letter.value, tags))
    except Exception as error:
        if not _too_large(error):
            raise
        # The topic takes smaller records than the one it came from: better its cause alone.
        size = str(len(letter.value or b"")).encode()
        await (
            await produce(DEAD_LETTER_TOPIC, key(letter), None, [*tags, ("omitted-bytes", size)])
        )


def _too_large(error: BaseException | None) -> bool:
    return error is not None and (
        isinstance(error, MessageSizeTooLargeError) or _too_large(error.__cause__)
    )


async def send_flags(produce: Produce, flags: Sequence[tuple[bytes, bytes]]) -> None:
    """Send (key, encoded FlagRaised) pairs in order; return when all are acknowledged."""
    for start in range(0, len(flags), _AT_ONCE):
        under_way = [
            await produce(FLAG_TOPIC, key, value, []) for key, value in flags[start:][:_AT_ONCE]
        ]
        await asyncio.gather(*under_way)
