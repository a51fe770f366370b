"""Defines the pages that a browser is shown beside the answers, as the server sees them."""

from __future__ import annotations

from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.serve.work import Places

__all__ = ["Pages"]


class Pages(Protocol):
    """Pages for people, made for the token that requests have to bring."""

    def beside(self, answers: ASGIApp, places: Places) -> ASGIApp:
        """Return an application of the pages, which passes all other requests on to `answers`."""

    def is_page(self, scope: Scope) -> bool:
        """Say whether a request is for a page, and not for an answer to a program."""

    def is_open(self, scope: Scope) -> bool:
        """Say whether a request needs no token: the form that takes it, and its style."""

    def has_signed_in(self, headers: Headers) -> bool:
        """Say whether a request brings the cookie of somebody who gave the token."""

    async def sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with the form that takes the token."""
