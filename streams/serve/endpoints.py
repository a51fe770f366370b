"""Holds the verbs that a served database has, and makes the web application of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from lineage import LineageError, QueryError
from lineage.store.backup import Backup
from streams.serve.limits import ServeLimits
from streams.serve.pages import Pages
from streams.serve.protocol.answer import Answer, Verb, table_batches, watched
from streams.serve.protocol.refusal import HttpError, error_response
from streams.serve.protocol.request import Asked, read_request
from streams.serve.readers import Readers
from streams.serve.work import Places

__all__ = ["ACTING", "QUACK", "Copying", "application"]

ACTING = frozenset({"/backup"})
"""Paths that do more than answer."""
QUACK = "/quack"
"""Where DuckDB's own clients are answered; they bring the token in their messages."""

Copying = Callable[[Path], Backup]
"""Copies the database to a path. Raises BackupError, StoreError."""


def application(
    readers: Readers,
    backup: Copying,
    instance: str,
    limits: ServeLimits,
    more: Sequence[BaseRoute] = (),
    pages: Pages | None = None,
    quack: Callable[[Places], ASGIApp] | None = None,
) -> ASGIApp:
    """Return the web application that asks `readers`.

    backup: copies the database. instance: a name of this server alone, by which a client knows that
    it is still the one it was told of. more: further paths. pages: for people, beside the answers.
    quack: answers DuckDB's own clients. Everything is made for the event loop that runs.
    """
    places = Places(readers, limits)
    shown = {"console": pages is not None, "quack": quack is not None}
    verbs = _Verbs(readers, backup, instance, limits, places, shown)
    both = ["GET", "POST"]
    routes = [
        Route("/", verbs.index),
        Route("/health", verbs.health),
        Route("/sql", verbs.sql, methods=both),
        Route("/flags", verbs.flags, methods=both),
        Route("/route", verbs.route, methods=both),
        Route("/route/{message_id:path}", verbs.route, methods=["GET"]),
        Route("/whatif", verbs.whatif, methods=["POST"]),
        Route("/digest", verbs.digest, methods=both),
        Route("/backup", verbs.backup, methods=["POST"]),
        *more,
    ]
    if quack is not None:
        routes.append(Route(QUACK, quack(places), methods=["POST"]))

    async def refused(_: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            allowed = dict(error.headers or {})
            error = HttpError(
                error.status_code, f"{error.detail}; GET / tells what there is", allowed
            )
        return error_response(error, limits)

    # LineageError: what a request may be wrong about. Exception: a mistake in this program.
    handlers = {HTTPException: refused, LineageError: refused, Exception: refused}
    answers = Starlette(routes=routes, exception_handlers=handlers)
    return answers if pages is None else pages.beside(answers, places)


class _Verbs:
    def __init__(
        self,
        readers: Readers,
        backup: Copying,
        instance: str,
        limits: ServeLimits,
        places: Places,
        shown: Mapping[str, bool],
    ) -> None:
        self._readers = readers
        self._backup = backup
        self._instance = instance
        self._limits = limits
        self._places = places
        self._shown = shown
        self._copying = asyncio.Lock()

    async def index(self, _: Request) -> Response:
        return JSONResponse(
            {
                "GET or POST /sql": "query, params, types; in the address p.NAME=VALUE",
                "GET or POST /flags": "rule, dataset, message_id, severity",
                "GET or POST /route, GET /route/MESSAGE_ID": "message_id",
                "POST /whatif": "policy, from, to, flags",
                "GET or POST /digest": "",
                "POST /backup": "to",
                "POST /quack": "of DuckDB's own clients, where it is served",
                "GET /health": "",
                "GET /metrics, /healthz, /readyz": "of Prometheus",
                "of all questions": "format (json, jsonl, csv, arrow), limit, timeout",
            }
        )

    async def health(self, _: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "program": "message-lineage",
                "version": _version(),
                "instance": self._instance,
                **self._shown,
                "questions": self._readers.at_work,
            }
        )

    async def sql(self, request: Request) -> Answer:
        asked = await read_request(request, ("query", "params", "types"), self._limits, named=True)
        query, params = asked.required("query"), asked.parameters()
        return self._answer(asked, lambda reader: reader.sql_batches(query, params))

    async def flags(self, request: Request) -> Answer:
        names = ("rule", "dataset", "message_id", "severity")
        asked = await read_request(request, names, self._limits)
        rule, dataset, message_id, severity = map(asked.text, names)
        return self._answer(
            asked, lambda reader: reader.flag_batches(rule, dataset, message_id, severity)
        )

    async def route(self, request: Request) -> Answer:
        asked = await read_request(request, ("message_id",), self._limits)
        in_path = request.path_params.get("message_id")
        message_id = asked.required("message_id") if in_path is None else str(in_path)
        return self._answer(
            asked, lambda reader: table_batches(reader.route(message_id).to_arrow_table())
        )

    async def whatif(self, request: Request) -> Answer:
        asked = await read_request(request, ("policy", "from", "to", "flags"), self._limits)
        given = (asked.required("policy"), asked.text("from"), asked.text("to"))
        if asked.arguments.get("flags") in (True, "true"):
            return self._answer(asked, lambda reader: reader.whatif_batches(*given))
        return self._answer(
            asked, lambda reader: table_batches(reader.whatif(*given).to_arrow_table())
        )

    async def digest(self, request: Request) -> Response:
        asked = await read_request(request, (), self._limits)
        with watched(request.receive) as gone:
            async with self._places.work(asked.seconds, gone) as work:
                found = await work.run(work.session.digest)
        return JSONResponse({"digest": found})

    async def backup(self, request: Request) -> Response:
        asked = await read_request(request, ("to",), self._limits)
        to = Path(asked.required("to"))
        if not to.is_absolute() or "\0" in str(to):
            raise QueryError("to must be the whole path of a file, from the root on")
        async with self._copying:
            made = await asyncio.to_thread(partial(self._backup, to))
        return JSONResponse({"to": str(made.path), "bytes": made.bytes})

    def _answer(self, asked: Asked, verb: Verb) -> Answer:
        return Answer(self._places, self._limits, verb, asked.form, asked.rows, asked.seconds)


def _version() -> str:
    try:
        return version("message-lineage")
    except PackageNotFoundError:
        return "not installed"
