"""The remote store: asks a store that another process serves."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from lineage.audit.select_check.check import Parameters
from lineage.audit.whatif.period import Instant, utc_text
from lineage.errors import QueryError
from lineage.remote.transport import Transport
from lineage.remote.wire import ERROR_KEY, error_of
from lineage.store.backup import Backup

_SECONDS_MAX: Final = 3600.0
_MICROSECOND: Final = datetime.timedelta(microseconds=1)


class RemoteStore:
    """A store that another process serves: the questions of `Reader`, answered over HTTP.

    Any thread may ask. Errors are those that the store itself raises, and StoreUnreachableError.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._transport = Transport(url, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Do nothing: each question has a connection of its own, which is closed with it."""

    def flags(
        self,
        rule: str | None = None,
        dataset: str | None = None,
        message_id: str | None = None,
        severity: str | None = None,
    ) -> duckdb.DuckDBPyRelation:
        """Return the flags; see `Reader.flags`."""
        wanted = {
            "rule": rule, "dataset": dataset, "message_id": message_id, "severity": severity
        }  # fmt: skip
        arguments = {name: value for name, value in wanted.items() if value is not None}
        return _relation(RemoteQuestion(self._transport, "/flags", arguments, None))

    def route(self, message_id: str) -> duckdb.DuckDBPyRelation:
        """Return the route of one message; see `Reader.route`."""
        arguments = {"message_id": message_id}
        return _relation(RemoteQuestion(self._transport, "/route", arguments, None))

    def sql(
        self, text: str, params: Parameters = None, timeout_seconds: float | None = None
    ) -> duckdb.DuckDBPyRelation:
        """Answer one SELECT; see `Reader.sql`. The server ends every question after an hour."""
        return _relation(self.sql_batches(text, params, timeout_seconds))

    def sql_batches(
        self, text: str, params: Parameters = None, timeout_seconds: float | None = None
    ) -> RemoteQuestion:
        """Return a context manager that yields an answer of any size in batches; else as `sql`."""
        arguments = {"query": text, **_spelled(params)}
        return RemoteQuestion(self._transport, "/sql", arguments, timeout_seconds)

    def whatif(
        self, document: str, since: Instant = None, until: Instant = None
    ) -> duckdb.DuckDBPyRelation:
        """Count the flags that a policy document would have raised; see `Reader.whatif`."""
        return _relation(self._whatif(document, since, until, {}))

    def whatif_batches(
        self, document: str, since: Instant = None, until: Instant = None
    ) -> RemoteQuestion:
        """Return a context manager that yields the flags that would be new or gone, in batches."""
        return self._whatif(document, since, until, {"flags": True})

    def _whatif(
        self, document: str, since: Instant, until: Instant, more: Mapping[str, object]
    ) -> RemoteQuestion:
        period = {"from": since, "to": until}
        arguments = {
            name: value if isinstance(value, str) else utc_text(value)
            for name, value in period.items()
            if value is not None
        }
        given = {"policy": document, **arguments, **more}
        return RemoteQuestion(self._transport, "/whatif", given, None)

    def digest(self) -> str:
        """Return the SHA-256 in hex over events, arrivals and flags; see `Reader.digest`."""
        return str(self._told("/digest", {})["digest"])

    def backup(self, to: str | Path) -> Backup:
        """Have the serving process copy the database to a file on its own machine.

        to: a path from the root on. It needs the token of the file beside the database.
        """
        made = self._told("/backup", {"to": str(to)})
        return Backup(Path(made["to"]), int(made["bytes"]))

    def health(self) -> Mapping[str, object]:
        """Return what the server tells of itself; it needs no token."""
        return self._transport.get("/health")

    def _told(self, path: str, arguments: Mapping[str, object]) -> Mapping[str, Any]:
        timeout = {"timeout": _SECONDS_MAX}
        response = self._transport.post(path, {**arguments, **timeout}, _SECONDS_MAX)
        with response:
            try:
                found: Mapping[str, Any] = json.loads(response.read())
            except (OSError, HTTPException, ValueError) as error:
                raise self._transport.unreachable(error) from error
        return found


class RemoteQuestion:
    """A question that is answered over HTTP, batch by batch. A context manager, as `Question`."""

    def __init__(
        self,
        transport: Transport,
        path: str,
        arguments: Mapping[str, object],
        seconds: float | None,
    ) -> None:
        self._transport = transport
        self._path = path
        self._seconds = min(seconds or _SECONDS_MAX, _SECONDS_MAX)
        self._body = {**arguments, "limit": 0, "timeout": self._seconds}
        self._response: HTTPResponse | None = None
        self._reader: pa.ipc.RecordBatchStreamReader | None = None
        self._first: tuple[pa.RecordBatch, Mapping[bytes, bytes] | None] | None = None

    def __enter__(self) -> RemoteQuestion:
        self._response = self._transport.post(self._path, self._body, self._seconds)
        try:
            self._reader = pa.ipc.open_stream(self._response)
        except (OSError, HTTPException, pa.ArrowException) as error:
            self._response.close()
            raise self._transport.unreachable(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._response is not None:
            self._response.close()

    @property
    def schema(self) -> pa.Schema:
        """Return the columns of the answer. Repeated names have _1, _2 … at their end."""
        return pa.schema([]) if self._reader is None else self._reader.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, some thousands at a time. Raises QueryError, StoreUnreachableError."""
        while self._reader is not None:
            try:
                batch, metadata = self._reader.read_next_batch_with_custom_metadata()
            except StopIteration:
                return
            except (OSError, HTTPException, pa.ArrowException) as error:
                raise self._transport.unreachable(error) from error
            told = None if metadata is None else dict(metadata).get(ERROR_KEY)
            if told is not None:
                raise error_of(told, 200)
            yield batch


def _relation(question: RemoteQuestion) -> duckdb.DuckDBPyRelation:
    with question:
        table = pa.Table.from_batches(list(question.batches()), schema=question.schema)
    return duckdb.connect().from_arrow(table)


def _spelled(params: Parameters) -> dict[str, object]:
    """Return parameters as JSON has them, and the types of those that it has not."""
    if params is None:
        return {}
    if isinstance(params, Mapping):
        pairs = {str(name): _pair(value) for name, value in params.items()}
        types: object = {name: kind for name, (_, kind) in pairs.items() if kind is not None}
        return {"params": {name: value for name, (value, _) in pairs.items()}, "types": types}
    if isinstance(params, (str, bytes)):
        raise QueryError("parameters are a list or a dict of plain values")
    several = [_pair(value) for value in params]
    return {"params": [value for value, _ in several], "types": [kind for _, kind in several]}


def _pair(value: object) -> tuple[object, str | None]:
    """Return a value as JSON has it, and its type where that is not told by it."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(), "TIMESTAMP"
    if isinstance(value, datetime.date):
        return value.isoformat(), "DATE"
    if isinstance(value, datetime.time):
        return value.isoformat(), "TIME"
    if isinstance(value, datetime.timedelta):
        return str(value // _MICROSECOND), "INTERVAL"
    if isinstance(value, Decimal):
        return str(value), "DECIMAL"
    if isinstance(value, bytes):
        return value.hex(), "BLOB"
    if type(value).__name__ == "UUID":
        return str(value), "UUID"
    if hasattr(value, "item") and hasattr(value, "dtype"):
        return _pair(value.item())  # a number of numpy's
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        raise QueryError(
            "over HTTP a parameter is a number, a text, a truth value, an instant, a UUID, bytes,"
            " or a list or dict of what JSON has"
        ) from None
    return value, None
