"""Reads questions from requests: the address, a form of JSON, or a text; nothing unknown passes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from starlette.requests import ClientDisconnect, Request

from lineage import QueryError
from lineage.audit.select_check.check import Parameters
from lineage.remote.wire import TYPES
from streams.serve.limits import ServeLimits
from streams.serve.protocol.formats import Format, format_of
from streams.serve.protocol.refusal import HttpError
from streams.serve.work import ClientGoneError

__all__ = ["Asked", "read_body", "read_request"]

_PARAMETER = "p."
_OF_ALL = ("format", "limit", "timeout")


@dataclass(frozen=True)
class Asked:
    """What a request asks: the arguments of its verb, and how it is to be answered.

    rows: the most rows; 0: all, as they come. seconds: the most that may be worked on it.
    """

    arguments: Mapping[str, Any] = field(repr=False)
    form: Format
    rows: int
    seconds: float

    def text(self, name: str) -> str | None:
        """Return an argument that is a text, or None where it is not given."""
        value = self.arguments.get(name)
        if value is not None and not isinstance(value, str):
            raise QueryError(f"{name} must be a text")
        return value

    def required(self, name: str) -> str:
        """Return an argument that is a text and has to be given."""
        value = self.text(name)
        if value is None:
            raise QueryError(f"{name} is missing")
        return value

    def parameters(self) -> Parameters:
        """Return the values for the parameters of a query, of the types that are named."""
        given, types = self.arguments.get("params"), self.arguments.get("types")
        if given is not None and not isinstance(given, (list, dict)):
            raise QueryError("params must be a list, or an object of values by their names")
        if types is None:
            return given
        if isinstance(given, list) and isinstance(types, list) and len(given) == len(types):
            return [_typed(value, kind) for value, kind in zip(given, types, strict=True)]
        if isinstance(given, dict) and isinstance(types, dict) and types.keys() <= given.keys():
            return {name: _typed(value, types.get(name)) for name, value in given.items()}
        raise QueryError(
            "types must be shaped as params: a list as long, or an object of its names"
        )


async def read_request(
    request: Request, known: tuple[str, ...], limits: ServeLimits, *, named: bool = False
) -> Asked:
    """Read a request for a verb that takes the arguments `known`. Raises HttpError, QueryError.

    named: the address may give texts for the parameters of a query, as p.NAME=VALUE.
    """
    given: dict[str, Any] = dict(request.query_params)
    if len(given) != len(request.query_params.multi_items()):
        raise QueryError("the address gives an argument twice")
    if named:
        texts = {name: given.pop(name) for name in list(given) if name.startswith(_PARAMETER)}
        if texts and "params" in given:
            raise QueryError("the address gives parameters twice, as params and as p.NAME")
        if texts:
            given["params"] = {name.removeprefix(_PARAMETER): text for name, text in texts.items()}
    if request.method == "POST":
        body = await read_body(request, limits)
        more = _arguments(body, request.headers.get("content-type", ""), known)
        if given.keys() & more.keys():
            raise QueryError("the address and the body give the same argument")
        given |= more
    unknown = sorted(given.keys() - {*known, *_OF_ALL})
    if unknown:
        raise QueryError(
            f"unknown arguments {', '.join(map(repr, unknown))[:200]}; known are"
            f" {', '.join((*known, *_OF_ALL))}"
        )
    form = format_of(given.pop("format", None), request.headers.get("accept", ""))
    rows = _number(given.pop("limit", limits.rows), "limit", limits.rows_max)
    seconds = _number(given.pop("timeout", limits.question_seconds), "timeout")
    if rows != int(rows):
        raise QueryError("limit must be a whole number")
    most = limits.question_seconds_max
    return Asked(given, form, int(rows), min(seconds or most, most))


async def read_body(request: Request, limits: ServeLimits) -> bytes:
    """Return the body of a request. Raises HttpError where it is too large or too slow."""
    body = b""
    try:
        async with asyncio.timeout(limits.idle_seconds_max):
            async for part in request.stream():
                body += part
                if len(body) > limits.request_bytes_max:
                    most = limits.request_bytes_max
                    raise HttpError(413, f"a request has at most {most:,} bytes")
    except TimeoutError:
        raise HttpError(
            408, "the request did not come whole in time", {"connection": "close"}
        ) from None
    except ClientDisconnect:
        raise ClientGoneError("the client is gone") from None
    return body


def _arguments(body: bytes, content_type: str, known: tuple[str, ...]) -> dict[str, Any]:
    kind = content_type.split(";")[0].strip().lower()
    if not body:
        return {}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise QueryError("the request's body must be UTF-8") from None
    if kind == "application/json":
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise QueryError("the request's body must be JSON") from None
        if not isinstance(found, dict):
            raise QueryError("the request's body must be an object of JSON")
        return found
    if kind in ("", "text/plain", "application/sql") and "query" in known:
        return {"query": text}
    raise HttpError(415, "the request's body must be application/json, or for /sql text/plain")


def _number(value: object, name: str, most: float | None = None) -> float:
    try:
        # The address has texts alone.
        number = float(value) if isinstance(value, (str, int, float)) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < float("inf"):
        raise QueryError(f"{name} must be a number from 0 on")
    if most is not None and number > most:
        raise QueryError(f"{name} must be at most {most:,}; 0 is for all, as they come")
    return number


def _typed(value: object, kind: object) -> object:
    if kind is None or value is None:
        return value
    if kind not in TYPES or not isinstance(value, str):
        raise QueryError(f"a type is one of {', '.join(TYPES)}, and its value a text")
    try:
        return _READ[kind](value)
    except (ValueError, OverflowError, InvalidOperation):
        raise QueryError(f"a parameter is no {kind}") from None


_READ = {
    "DATE": date.fromisoformat,
    "TIME": time.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
    "INTERVAL": lambda text: timedelta(microseconds=int(text)),
    "DECIMAL": Decimal,
    "BLOB": bytes.fromhex,
    "UUID": UUID,
}
