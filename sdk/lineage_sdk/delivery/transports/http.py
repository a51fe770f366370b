"""Posts events over HTTP, as JSON lines."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from ...errors import RefusedError, TransportError

_SECONDS = 10.0
# What says that these events are wrong; every other refusal may end.
_REFUSALS = (400, 413, 415, 422)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    # A redirected POST would become a GET without its body.
    def redirect_request(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - as in its base
        return None


class HttpTransport:
    """A POST to one address for each portion of events. token: sent as a bearer's."""

    def __init__(self, url: str, token: str | None, seconds: float = _SECONDS) -> None:
        self._url = url
        self._headers = {"Content-Type": "application/x-ndjson"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._seconds = seconds
        self._opener = urllib.request.build_opener(_NoRedirects)

    def send(self, lines: Sequence[bytes]) -> None:
        """Post lines in one request."""
        request = urllib.request.Request(  # noqa: S310 - the settings take http and https alone
            self._url, b"".join(lines), self._headers, method="POST"
        )
        try:
            with self._opener.open(request, timeout=self._seconds) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            kind = RefusedError if error.code in _REFUSALS else TransportError
            raise kind(f"it answers {error.code} {error.reason}") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise TransportError(f"it does not answer: {reason}") from error

    def close(self) -> None:
        """Do nothing: no connection stays."""

    forget = close
