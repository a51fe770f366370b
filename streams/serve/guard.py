"""Lets in only those who may ask: by token, and never what a foreign web page sends."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.serve.limits import ServeLimits
from streams.serve.refusal import HttpError, error_response

__all__ = ["Guard"]

# For browsers: an answer is no page, is kept nowhere, and is for nobody else's scripts or frames.
_HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_OPEN_PATHS = frozenset({"/health", "/healthz", "/readyz"})


class Guard:
    """An ASGI application around another, which gets only requests that are allowed.

    token: what requests have to bring, as `Authorization: Bearer TOKEN`. is_local: whether only
    this machine reaches the address: then questions need no token unless `always`, and the name
    that the client took it by must be the machine's own, since a web page can have its own name
    point here (DNS rebinding). acting: paths that do more than answer, and always need the token.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        always: bool,
        is_local: bool,
        port: int,
        acting: frozenset[str],
        limits: ServeLimits,
    ) -> None:
        self._app = app
        self._token = token.encode()
        self._always = always
        self._is_local = is_local
        self._hosts = frozenset(
            host for name in _LOCAL_NAMES for host in (f"{name}:{port}", name if port == 80 else "")
        ) - {""}
        self._acting = acting
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            self._check(scope)
        except HttpError as error:
            await error_response(error, self._limits)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self._check_origin(headers)
        path = scope["path"]
        needed = self._always or not self._is_local or path in self._acting
        if needed and path not in _OPEN_PATHS and not self._has_token(headers):
            raise HttpError(
                401,
                "a token is needed: send the header `Authorization: Bearer TOKEN`, with the token"
                " of the token file, or of the file FILE.serve.json beside the database",
                {"www-authenticate": "Bearer"},
            )

    def _check_origin(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if self._is_local and host not in self._hosts:
            raise HttpError(403, f"the Host header must be one of {', '.join(sorted(self._hosts))}")
        origin = headers.get("origin")
        foreign = origin is not None and origin.lower() != f"http://{host}"
        if foreign or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise HttpError(403, "a web page of another origin may not ask")

    def _has_token(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and secrets.compare_digest(
            given.strip().encode(), self._token
        )
