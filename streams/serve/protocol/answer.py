"""Sends answers: whole where they have a limit of rows, else as their rows come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from starlette.types import Receive, Scope, Send

from lineage.store.reader import Reader
from streams.serve.limits import ServeLimits
from streams.serve.protocol.formats import Encoder, Format
from streams.serve.protocol.refusal import error_response, told
from streams.serve.work import ClientGoneError, Places, Work

__all__ = ["Answer", "Batches", "Sending", "Verb", "abort", "table_batches", "watched"]


class Batches(Protocol):
    """Rows in batches, and their columns."""

    @property
    def schema(self) -> pa.Schema:
        """Return the columns."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""


Verb = Callable[[Reader], AbstractContextManager[Batches]]
"""Asks a reader a question, whose answer is read within the block."""


@dataclass(frozen=True)
class _TableBatches:
    """The batches of a table."""

    table: pa.Table

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.table.to_batches()


@contextmanager
def table_batches(table: pa.Table) -> Iterator[Batches]:
    """Let a table be read in batches."""
    yield _TableBatches(table)


@contextmanager
def watched(receive: Receive) -> Iterator[asyncio.Event]:
    """Yield an event that is set when the client of a request is gone; its body must be read."""
    gone = asyncio.Event()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watch_task = asyncio.ensure_future(watch())
    try:
        yield gone
    finally:
        watch_task.cancel()


class Sending:
    """Sends one response, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def start(self, media_type: str, headers: Mapping[str, str]) -> None:
        """Send the status 200 and the headers."""
        named = {"content-type": media_type, **headers}
        raw = [(name.encode(), value.encode()) for name, value in named.items()]
        self.started = True
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def part(self, body: bytes, *, last: bool = False) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})


async def abort(scope: Scope) -> None:
    """Close the connection of a request at once, whatever is still to be sent."""
    scope["state"]["abort"]()
    await asyncio.sleep(0)  # the server learns of it


class Answer:
    """The response to a question: an ASGI application.

    rows: the most rows of an answer, which is then sent whole, and with a header that says whether
    it is cut; 0: all rows, sent as they come. seconds: the most that may be worked on it.
    """

    def __init__(
        self,
        places: Places,
        limits: ServeLimits,
        verb: Verb,
        form: Format,
        rows: int,
        seconds: float,
    ) -> None:
        self._places = places
        self._limits = limits
        self._verb = verb
        self._form = form
        self._rows = rows
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer: with an error as long as nothing was sent, else cut off at one."""
        sending = Sending(send)
        encoder = self._form.encoder()
        try:
            with watched(receive) as gone:
                async with self._places.work(self._seconds, gone) as work:
                    if self._rows:
                        await self._send_whole(work, sending, encoder)
                    else:
                        await self._send_parts(work, sending, encoder)
        except Exception as error:  # whatever it was, the client is told, or cut off
            if not sending.started:
                await error_response(error, self._limits)(scope, receive, send)
                return
            if not isinstance(error, ClientGoneError) and not self._rows:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.stalled_seconds_max):
                        await sending.part(encoder.failure(told(error)))
                        return  # without an end of the body: the connection is closed
            await abort(scope)

    async def _send_whole(self, work: Work, sending: Sending, encoder: Encoder) -> None:
        body, rows, cut = await work.run(lambda: self._whole(work.session, encoder))
        work.session.close()  # whatever memory it held, before the client takes its time
        headers = {
            "lineage-rows": str(rows),
            "lineage-cut": json.dumps(cut),
            "content-length": str(len(body)),
        }
        await work.sent(sending.start(self._form.media_type, headers))
        await work.sent(sending.part(body, last=True))

    def _whole(self, reader: Reader, encoder: Encoder) -> tuple[bytes, int, bool]:
        """Return the body, how many rows it has, and whether there are more."""
        left, size = self._rows, 0
        with self._verb(reader) as found:
            parts = [encoder.head(found.schema)]
            for batch in found.batches():
                size += batch.nbytes
                fits = size <= self._limits.answer_bytes_max
                some = batch.slice(0, left if fits else 0)
                parts.append(encoder.rows(some))
                left -= some.num_rows
                if some.num_rows < batch.num_rows:
                    return b"".join([*parts, encoder.tail(cut=True)]), self._rows - left, True
        return b"".join([*parts, encoder.tail(cut=False)]), self._rows - left, False

    async def _send_parts(self, work: Work, sending: Sending, encoder: Encoder) -> None:
        parts = self._parts(work.session, encoder)
        try:
            part = await work.run(lambda: next(parts, None))
            await work.sent(sending.start(self._form.media_type, {"lineage-cut": "false"}))
            async with asyncio.timeout(self._limits.sending_seconds_max):
                while part is not None:
                    await work.sent(sending.part(part))
                    part = await work.run(lambda: next(parts, None))
            await work.sent(sending.part(b"", last=True))
        except TimeoutError:
            raise ClientGoneError("the client takes too long over its answer") from None
        finally:
            if work.call is None:
                with suppress(Exception):  # an interrupt that came late
                    await work.run(parts.close)

    def _parts(self, reader: Reader, encoder: Encoder) -> Generator[bytes, None, None]:
        with self._verb(reader) as found:
            batches = found.batches()
            first = next(batches, None)  # an error comes before any output
            yield encoder.head(found.schema)
            if first is not None:
                yield encoder.rows(first)
            for batch in batches:
                yield encoder.rows(batch)
        yield encoder.tail(cut=False)
