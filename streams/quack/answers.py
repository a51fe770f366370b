"""Keeps answers that clients fetch part by part, each with its question at work meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa

from lineage.store.reader import Reader
from streams.quack.limits import QuackLimits
from streams.quack.types import serialized_type
from streams.quack.vectors import CHUNK_ROWS, serialized_chunk
from streams.serve.limits import ServeLimits
from streams.serve.work import ClientGoneError, Places, Work

__all__ = ["OpenAnswer", "Part"]


@dataclass(frozen=True)
class Part:
    """Some rows of an answer, in chunks. last: whether no part comes after."""

    types: Sequence[bytes]
    names: Sequence[str]
    chunks: Sequence[bytes]
    last: bool


class OpenAnswer:
    """An answer on its way, whose question keeps its place until the last part is taken.

    One part waits for the client, and the next is made meanwhile. A client that takes none for a
    while is let go. Make it, and call its methods, on one event loop.
    """

    def __init__(self, places: Places, limits: ServeLimits, own: QuackLimits, query: str) -> None:
        self._places = places
        self._limits = limits
        self._part_bytes = own.part_bytes
        self._query = query
        self._changed = asyncio.Condition()
        self._part: Part | None = None
        self._place = 0
        self._over = False
        self._error: Exception | None = None
        self._gone = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())

    async def take(self) -> tuple[int, Part | None]:
        """Return the next part after its place, from 0; None after the last one.

        The threads of a client may ask at once, and each gets another part. Raises the error that
        ended the question.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._part or self._over or self._error)
            if self._error is not None:
                raise self._error
            place, part, self._part = self._place, self._part, None
            if part is not None:
                self._place += 1
                self._over = part.last
            self._changed.notify_all()
            return place, part

    def leave(self) -> None:
        """Let go of the answer, and end its question."""
        self._gone.set()

    async def _run(self) -> None:
        try:
            async with self._places.work(self._limits.question_seconds, self._gone) as work:
                sole = await self._send(work)
            if sole is not None:
                await self._put(sole)
        except Exception as error:  # told to the client when it asks for the next part
            slow = ClientGoneError("the client took too long over its answer; ask again")
            async with self._changed:
                self._part = None
                self._error = slow if isinstance(error, TimeoutError) else error
                self._changed.notify_all()

    async def _send(self, work: Work) -> Part | None:
        """Have the client take all parts while the place is held; return a part that is alone.

        A client that asks waits for the first part, so that needs no place any more.
        """
        parts = self._made(work.session)
        try:
            async with asyncio.timeout(self._limits.sending_seconds_max):
                part = await work.run(lambda: next(parts))
                if part.last:
                    return part
                while not part.last:
                    await work.sent(self._put(part))
                    part = await work.run(lambda: next(parts))
                await work.sent(self._put(part))
                await work.sent(self._end())
                return None
        finally:
            if work.call is None:
                with suppress(Exception):  # an interrupt that came late
                    await work.run(parts.close)

    async def _end(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._over)

    async def _put(self, part: Part) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._part is None)
            self._part = part
            self._changed.notify_all()

    def _made(self, reader: Reader) -> Generator[Part, None, None]:
        chunks: list[bytes] = []
        with reader.sql_batches(self._query) as question:
            types = [serialized_type(kind) for kind in question.types]
            names = question.schema.names
            for rows in _chunks(question.batches()):
                chunks.append(serialized_chunk(rows, question.types, types))
                if sum(map(len, chunks)) >= self._part_bytes:
                    yield Part(types, names, chunks, last=False)
                    chunks = []
        yield Part(types, names, chunks, last=True)


def _chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, CHUNK_ROWS):
            yield batch.slice(start, CHUNK_ROWS)
