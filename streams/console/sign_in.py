"""Signs a person in: a form takes the token, and a cookie stands for it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

__all__ = ["COOKIE", "SignIn"]

COOKIE = "lineage-console"
_BODY_BYTES_MAX = 8_192


class SignIn:
    """Compares what is given with a token. The cookie is made of it, and does not tell it."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._cookie = hmac.new(self._token, b"lineage console", hashlib.sha256).hexdigest()

    def has_cookie(self, headers: Headers) -> bool:
        """Say whether a request brings the cookie."""
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return found is not None and secrets.compare_digest(
            found.value.encode(), self._cookie.encode()
        )

    async def take(self, request: Request) -> Response | None:
        """Return the response to the form: the cookie, and on to the page; None for a wrong token.

        Only SameSite=Strict keeps other sites from using the cookie where a browser sends no
        Sec-Fetch-Site; the guard refuses the requests that say where they come from.
        """
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _BODY_BYTES_MAX:
                return None
        form = dict(parse_qsl(body.decode(errors="replace")))
        if not secrets.compare_digest(form.get("token", "").strip().encode(), self._token):
            return None
        response = RedirectResponse(_own_path(form.get("next", "")), status_code=303)
        response.set_cookie(COOKIE, self._cookie, httponly=True, samesite="strict", path="/")
        return response


def _own_path(to: str) -> str:
    """Return where to go on: a path of this server, and of no other."""
    own = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if own else "/"
