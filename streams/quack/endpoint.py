"""Answers `POST /quack`: connections of DuckDB's clients, and the answers that each has open."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import duckdb
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lineage import LineageError, QueryError
from streams.quack.answers import OpenAnswer, Part
from streams.quack.catalogue import own_query
from streams.quack.limits import QUACK_LIMITS, QuackLimits
from streams.quack.messages import (
    VERSION,
    Connect,
    Disconnect,
    Fetch,
    Prepare,
    connected,
    disconnected,
    failed,
    fetched,
    prepared,
    read_message,
)
from streams.serve.limits import ServeLimits
from streams.serve.protocol.answer import watched
from streams.serve.protocol.refusal import told
from streams.serve.protocol.request import read_body
from streams.serve.settings import ServeSettings
from streams.serve.work import ClientGoneError, Places

__all__ = ["Quack", "quack_of"]

_MEDIA_TYPE = "application/vnd.duckdb"
_ANSWER_BITS = 63


class RefusedError(LineageError):
    """A client that may not ask."""


class _Connection:
    """One client that has attached: the answers that it has not fetched to the end."""

    def __init__(self) -> None:
        self.answers: OrderedDict[int, OpenAnswer] = OrderedDict()

    def leave(self) -> None:
        for answer in self.answers.values():
            answer.leave()


def quack_of(settings: ServeSettings) -> Callable[[str, Places], ASGIApp] | None:
    """Return what answers DuckDB's clients, once it gets the token; None where none is to."""
    return partial(_quack, settings.limits) if settings.quack else None


def _quack(limits: ServeLimits, token: str, places: Places) -> ASGIApp:
    return Quack(token, places, limits)


class Quack:
    """An ASGI application that answers the messages of clients which bring the token."""

    def __init__(
        self, token: str, places: Places, limits: ServeLimits, own: QuackLimits = QUACK_LIMITS
    ) -> None:
        self._token = token.encode()
        self._places = places
        self._limits = limits
        self._own = own
        self._connections: OrderedDict[str, _Connection] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one message, with an error where it cannot be."""
        try:
            message = read_message(await read_body(Request(scope, receive), self._limits))
            with watched(receive) as gone:
                body = await self._answer(message, gone)
        except Exception as error:  # whatever it was, the client is told
            body = failed(str(told(error)))
        await Response(body, media_type=_MEDIA_TYPE)(scope, receive, send)

    async def _answer(
        self, message: Connect | Prepare | Fetch | Disconnect, gone: asyncio.Event
    ) -> bytes:
        if isinstance(message, Connect):
            return connected(self._connect(message))
        if isinstance(message, Disconnect):
            if (left := self._connections.pop(message.connection, None)) is not None:
                left.leave()
            return disconnected()
        connection = self._connections.get(message.connection)
        if connection is None:
            raise QueryError("the connection is not known here any more; DETACH and ATTACH again")
        self._connections.move_to_end(message.connection)
        if isinstance(message, Prepare):
            return await self._prepare(connection, message.query, gone)
        return await self._fetch(connection, message.answer, gone)

    def _connect(self, message: Connect) -> str:
        """Return the name of a new connection."""
        if not secrets.compare_digest(message.token.encode(), self._token):
            raise RefusedError(
                "the token is another one: it is that of the token file, or of the file"
                " FILE.serve.json beside the database"
            )
        own = f"v{duckdb.__version__}"
        if message.version != own or VERSION not in message.protocols:
            raise RefusedError(
                f"a client of DuckDB {own} is answered here, and this one is of"
                f" {message.version[:20]}, whose messages may be others"
            )
        name = secrets.token_hex(16).upper()
        self._connections[name] = _Connection()
        while len(self._connections) > self._own.connections_max:
            self._connections.popitem(last=False)[1].leave()
        return name

    async def _prepare(self, connection: _Connection, query: str, gone: asyncio.Event) -> bytes:
        answer = OpenAnswer(self._places, self._limits, self._own, own_query(query))
        _, part = await _taken(answer, gone)
        if part is None:
            raise AssertionError("an answer has a part at least")
        number = secrets.randbits(_ANSWER_BITS)
        if not part.last:
            connection.answers[number] = answer
            while len(connection.answers) > self._own.answers_max:
                connection.answers.popitem(last=False)[1].leave()
        return prepared(part.types, part.names, part.chunks, number, more=not part.last)

    async def _fetch(self, connection: _Connection, number: int, gone: asyncio.Event) -> bytes:
        answer = connection.answers.get(number)
        if answer is None:
            raise QueryError("the answer is not known here any more; ask again")
        place, part = await _taken(answer, gone)
        return fetched(part.chunks, place) if part is not None else fetched([], None)


async def _taken(answer: OpenAnswer, gone: asyncio.Event) -> tuple[int, Part | None]:
    """Return what `take` returns, unless the client is gone before."""
    taking, leaving = asyncio.ensure_future(answer.take()), asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({taking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            answer.leave()
            raise ClientGoneError("the client is gone")
        return taking.result()
    finally:
        taking.cancel()
        leaving.cancel()
