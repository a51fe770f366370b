"""Puts the pages beside the answers of a served database, and guards them with a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.resources import files
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lineage import LineageError
from streams.console.address import Address, page_address, read_address
from streams.console.flows import FlowCounts
from streams.console.page.contents import Asked, MissingError, Page
from streams.console.page.writing import as_csv, as_html, as_json, template
from streams.console.pages.dataset import dataset
from streams.console.pages.flags import flags
from streams.console.pages.health import health
from streams.console.pages.member import member
from streams.console.pages.message import message
from streams.console.pages.overview import overview
from streams.console.pages.policies import policies, policy
from streams.console.pages.questions import question, questions
from streams.console.sign_in import SignIn
from streams.serve.limits import ServeLimits
from streams.serve.pages import Pages
from streams.serve.protocol.answer import watched
from streams.serve.protocol.refusal import error_response, told
from streams.serve.settings import ServeSettings
from streams.serve.work import ClientGoneError, Places, Work

__all__ = ["Console", "pages_of"]

_PAGES: Mapping[str, Callable[[Asked], Page]] = {
    "": overview,
    "flags": flags,
    "message": message,
    "member": member,
    "dataset": dataset,
    "policies": policies,
    "policy": policy,
    "questions": questions,
    "question": question,
    "health": health,
}
_SIGN_IN = "/sign-in"
_STATIC = {
    "/static/console.css": "text/css",
    "/static/console.js": "text/javascript",
    "/static/icon.svg": "image/svg+xml",
}
# Scripts, styles and pictures come from here alone, and nothing is inline.
_HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Without a referrer a browser would send its own form with a foreign origin.
    "referrer-policy": "same-origin",
}
_ROWS_MAX = 10_000
"""Of the rows of a page as JSON or CSV."""


class Console:
    """The pages of one served database. Implements `streams.serve.pages.Pages`."""

    def __init__(self, limits: ServeLimits, token: str) -> None:
        self._limits = limits
        self._sign_in = SignIn(token)
        self._flows = FlowCounts()

    def beside(self, answers: ASGIApp, places: Places) -> ASGIApp:
        """Return an application of the pages, which passes all other requests on to `answers`."""
        return partial(self._respond, answers, places)

    def is_page(self, scope: Scope) -> bool:
        """Say whether a request is for a page.

        /flags and others are addresses of programs, too: there a browser is known by its Accept.
        """
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        address = read_address(scope["path"])
        return address is not None and (not address.is_plain or _is_browser(Headers(scope=scope)))

    def is_open(self, scope: Scope) -> bool:
        """Say whether a request needs no token: the form that takes it, and its style."""
        if scope["path"] in _STATIC:
            return scope["method"] in ("GET", "HEAD")
        return bool(scope["path"] == _SIGN_IN)

    def has_signed_in(self, headers: Headers) -> bool:
        """Say whether a request brings the cookie of somebody who gave the token."""
        return self._sign_in.has_cookie(headers)

    async def sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with the form that takes the token."""
        query = scope["query_string"].decode("latin-1")
        to = quote(scope["path"], safe="/") + (f"?{query}" if query else "")
        response = _html(template("sign_in.html", title="Sign in", next=to, wrong=False), 401)
        await response(scope, receive, send)

    async def _respond(
        self, answers: ASGIApp, places: Places, scope: Scope, receive: Receive, send: Send
    ) -> None:
        path = scope["path"]
        if path in _STATIC:
            response = Response(_static(path), media_type=_STATIC[path])
        elif path == _SIGN_IN:
            response = await self._signed_in(Request(scope, receive))
        elif self.is_page(scope):
            address = read_address(path)
            assert address is not None  # noqa: S101 -- or it were no page
            response = await self._page(places, address, Request(scope, receive))
        else:
            await answers(scope, receive, send)
            return
        await response(scope, receive, send)

    async def _signed_in(self, request: Request) -> Response:
        if request.method == "POST":
            taken = await self._sign_in.take(request)
            if taken is not None:
                return taken
        wrong = request.method == "POST"
        shown = template("sign_in.html", title="Sign in", next="/", wrong=wrong)
        return _html(shown, 401 if wrong else 200)

    async def _page(self, places: Places, address: Address, request: Request) -> Response:
        seconds = self._limits.question_seconds
        try:
            with watched(request.receive) as gone:
                async with places.work(seconds, gone) as work:
                    return await work.run(lambda: self._written(work, address, request))
        except ClientGoneError:
            return Response(status_code=499)
        except Exception as error:  # whatever it was, the person is told
            return self._refused(error, address)

    def _written(self, work: Work, address: Address, request: Request) -> Response:
        rows_max = 0 if address.form == "html" else _ROWS_MAX
        arguments = dict(request.query_params)
        asked = Asked(work.session, self._flows, address.name, arguments, rows_max)
        page = _PAGES[address.page](asked)
        if address.form == "json":
            return Response(as_json(page), media_type="application/json")
        if address.form == "csv":
            text, cut = as_csv(page)
            told_of = {"lineage-cut": "true" if cut else "false"}
            return Response(text, media_type="text/csv", headers=told_of)
        query = f"?{request.url.query}" if request.url.query else ""
        return _html(as_html(page, page_address(address.page, address.name), query))

    def _refused(self, error: Exception, address: Address) -> Response:
        refused = error_response(error, self._limits)
        if isinstance(error, MissingError):
            refused.status_code = 404
        if address.form != "html":
            return refused
        said: LineageError = told(error)
        shown = template("error.html", title="No answer", message=str(said))
        response = _html(shown, refused.status_code)
        if "retry-after" in refused.headers:
            response.headers["retry-after"] = refused.headers["retry-after"]
        return response


def pages_of(settings: ServeSettings) -> Callable[[str], Pages] | None:
    """Return what makes the pages for a token; None where the settings want none."""
    return partial(Console, settings.limits) if settings.console else None


def _is_browser(headers: Headers) -> bool:
    first = headers.get("accept", "").split(",")[0].split(";")[0].strip().lower()
    return first in ("text/html", "application/xhtml+xml")


def _html(text: str, status: int = 200) -> Response:
    return Response(text, status, dict(_HEADERS), "text/html")


@cache
def _static(path: str) -> bytes:
    return (files("streams.console") / path.removeprefix("/")).read_bytes()
