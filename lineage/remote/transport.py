"""Sends requests to a served store, and reads its answers: by the standard library alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from lineage.errors import LineageError, StoreBusyError, StoreUnreachableError
from lineage.remote.wire import ARROW_STREAM, error_of

_CONNECT_SECONDS: Final = 5.0
# Beyond the time that the server may work on a question, for the way and the wait for a place.
_MORE_SECONDS: Final = 30.0
_TRIES: Final = 20
_OK: Final = 200
_BUSY: Final = 503


class Transport:
    """Sends requests to one address; each has a connection of its own, so any thread may."""

    def __init__(self, url: str, token: str | None) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        bad = parts.path.strip("/") or parts.query or parts.username or parts.fragment
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or bad:
            raise StoreUnreachableError(
                "the address of a served store is http://HOST:PORT, and its token is given apart"
            )
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, port
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._token = token

    def get(self, path: str, seconds: float = _CONNECT_SECONDS) -> Mapping[str, object]:
        """Return the JSON at a path; no token is sent. Raises StoreUnreachableError."""
        connection = self._kind(self._host, self._port, timeout=seconds)
        try:
            connection.request("GET", path)
            found = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            raise self.unreachable(error) from error
        finally:
            connection.close()
        return found if isinstance(found, dict) else {}

    def post(self, path: str, body: Mapping[str, object], seconds: float) -> HTTPResponse:
        """Return the answer to a question; read it to its end, or close it.

        seconds: how long the server may work on it. Where the server has no place for the question
        it is asked again, for about a minute. Raises the error that the server tells, and
        StoreUnreachableError.
        """
        busy: LineageError | None = None
        for _ in range(_TRIES):
            response = self._post(path, body, seconds)
            if response.status == _OK:
                return response
            error = self._error(response)
            if not isinstance(error, StoreBusyError):
                raise error
            busy = error
            # A wait that needs no clock.
            threading.Event().wait(_retry_seconds(response))
        raise busy or self.unreachable(None)

    def _post(self, path: str, body: Mapping[str, object], seconds: float) -> HTTPResponse:
        headers = {"Content-Type": "application/json", "Accept": ARROW_STREAM}
        headers["Connection"] = "close"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = self._kind(self._host, self._port, timeout=_CONNECT_SECONDS)
        try:
            connection.connect()
            connection.sock.settimeout(seconds + _MORE_SECONDS)
            # With escapes for what is no ASCII: a lone surrogate, too, gets there as it is.
            connection.request("POST", path, json.dumps(body).encode(), headers)
            return connection.getresponse()
        except (OSError, HTTPException) as error:
            connection.close()
            raise self.unreachable(error) from error

    def _error(self, response: HTTPResponse) -> LineageError:
        try:
            body = response.read()
        except (OSError, HTTPException) as error:
            return self.unreachable(error)
        finally:
            response.close()
        if response.status in (401, 403):
            told = error_of(body, response.status)
            return StoreUnreachableError(f"{self.url} does not let in: {told}")
        return error_of(body, response.status)

    def unreachable(self, error: Exception | None) -> StoreUnreachableError:
        """Return the error for a server that does not answer, or stops answering."""
        why = getattr(error, "strerror", None) or type(error).__name__
        return StoreUnreachableError(f"the store at {self.url} does not answer: {why}")


def _retry_seconds(response: HTTPResponse) -> float:
    given = response.getheader("Retry-After", "1")
    return min(10.0, float(given)) if given.isdecimal() else 1.0
