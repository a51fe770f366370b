"""Lets in only those who may ask: by token, and never what a foreign web page sends."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.serve.limits import ServeLimits
from streams.serve.pages import Pages
from streams.serve.protocol.refusal import HttpError, error_response

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
_READING = frozenset({"GET", "HEAD"})


class Guard:
    """An ASGI application around another, which gets only requests that are allowed.

    token: what requests have to bring, as `Authorization: Bearer TOKEN`. is_local: whether only
    this machine reaches the address: then questions need no token unless `always`, and the name
    that the client took it by must be the machine's own, since a web page can have its own name
    point here (DNS rebinding). acting: paths that do more than answer, and always need the token.
    pages: what a browser is shown, which brings its token by a cookie; None: nothing.
    checked_within: paths whose requests bring the token in their bodies, where `app` looks for it.
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
        pages: Pages | None = None,
        checked_within: frozenset[str] = frozenset(),
    ) -> None:
        self._app = app
        self._pages = pages
        self._token = token.encode()
        self._always = always
        self._is_local = is_local
        self._hosts = frozenset(
            host for name in _LOCAL_NAMES for host in (f"{name}:{port}", name if port == 80 else "")
        ) - {""}
        self._acting = acting
        self._limits = limits
        self._checked_within = checked_within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if not self._check(scope) and self._pages is not None:
                await self._pages.sign_in(scope, receive, send_with_headers)
                return
        except HttpError as error:
            await error_response(error, self._limits)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> bool:
        """Say whether a request is let in; where not, it is shown the form of the pages."""
        headers = Headers(scope=scope)
        is_page = self._pages is not None and self._pages.is_page(scope)
        self._check_origin(headers, scope, is_page)
        path = scope["path"]
        if path in self._checked_within:
            return True
        if self._pages is not None and self._pages.is_open(scope):
            return True
        acts = path in self._acting
        needed = self._always or not self._is_local or acts
        if not needed or (path in _OPEN_PATHS and not is_page) or self._has_token(headers):
            return True
        if self._pages is not None and not acts:
            if scope["method"] in _READING and self._pages.has_signed_in(headers):
                return True
            if is_page:
                return False
        raise HttpError(
            401,
            "a token is needed: send the header `Authorization: Bearer TOKEN`, with the token"
            " of the token file, or of the file FILE.serve.json beside the database",
            {"www-authenticate": "Bearer"},
        )

    def _check_origin(self, headers: Headers, scope: Scope, is_page: bool) -> None:
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if self._is_local and host not in self._hosts:
            raise HttpError(403, f"the Host header must be one of {', '.join(sorted(self._hosts))}")
        origin = headers.get("origin")
        foreign = origin is not None and origin.lower() != f"http://{host}"
        from_elsewhere = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        # A link, as in an alert, may lead to a page; what it asks is in the path alone.
        if from_elsewhere and is_page and origin is None and not scope["query_string"]:
            from_elsewhere = not (
                scope["method"] == "GET"
                and headers.get("sec-fetch-mode") == "navigate"
                and headers.get("sec-fetch-dest") == "document"
            )
        if foreign or from_elsewhere:
            raise HttpError(403, "a web page of another origin may not ask")

    def _has_token(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and secrets.compare_digest(
            given.strip().encode(), self._token
        )
