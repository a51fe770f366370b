"""The form that takes the token, and the cookie that stands for it."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest

from tests.streams.console.showing import PAGES, TOKEN
from tests.streams.serve.serving import Told, ask

FORM = "application/x-www-form-urlencoded"
HTML = "text/html"


def sign_in(url: str, token: str = TOKEN, to: str = "/flags", **headers: str) -> Told:
    body = urlencode({"token": token, "next": to})
    return ask(url, "/sign-in", body, content_type=FORM, **headers)


def cookie_of(told: Told) -> str:
    return told.headers["set-cookie"].partition(";")[0]


@pytest.mark.parametrize("path", PAGES)
def test_without_the_token_there_is_only_the_form(with_token: str, path: str) -> None:
    told = ask(with_token, path, accept=HTML)
    assert told.status == 401
    assert "m1" not in told.body.decode().replace(urlencode({"p.message": "m1"}), "").replace(
        "/message/m1", ""
    )
    assert 'name="token"' in told.body.decode()
    page, _, query = path.partition("?")
    rows = f"{'/overview' if page == '/' else page}.csv?{query}"
    assert ask(with_token, rows).status == 401


def test_the_form_gives_a_cookie_and_goes_on(with_token: str) -> None:
    told = sign_in(with_token)
    assert (told.status, told.headers["location"]) == (303, "/flags")
    kept = told.headers["set-cookie"].lower()
    assert "httponly" in kept
    assert "samesite=strict" in kept
    assert TOKEN not in told.headers["set-cookie"]
    assert ask(with_token, "/flags", accept=HTML, cookie=cookie_of(told)).status == 200


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ü" * 9_000])
def test_a_wrong_token_gives_none(with_token: str, token: str) -> None:
    told = sign_in(with_token, token)
    assert (told.status, "set-cookie" in told.headers) == (401, False)


@pytest.mark.parametrize("cookie", ["lineage-console=", "lineage-console=x", "x=y", "=;=;\x7f"])
def test_another_cookie_lets_nobody_in(with_token: str, cookie: str) -> None:
    assert ask(with_token, "/flags", accept=HTML, cookie=cookie).status == 401


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "x"])
def test_the_form_leads_nowhere_else(with_token: str, to: str) -> None:
    assert sign_in(with_token, to=to).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
    ],
)
def test_a_foreign_web_page_is_refused_with_the_cookie(
    with_token: str, headers: dict[str, str]
) -> None:
    cookie = cookie_of(sign_in(with_token))
    for path in (
        "/",
        "/message/m1",
        "/questions?sql=FROM+flag",
        "/flags.csv",
        "/sql?query=FROM+flag",
    ):
        told = ask(with_token, path, accept=HTML, cookie=cookie, **headers)
        assert told.status == 403, path
        assert "access-control-allow-origin" not in told.headers
    assert sign_in(with_token, **headers).status == 403


def test_a_link_from_elsewhere_leads_to_a_page_and_asks_nothing(url: str) -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    for path, status in (("/message/m1", 200), ("/questions?sql=FROM+flag", 403)):
        told = ask(url, path, accept=HTML, sec_fetch_dest="document", **link)
        assert told.status == status


def test_the_cookie_does_not_act(with_token: str) -> None:
    cookie = cookie_of(sign_in(with_token))
    origin = f"http://{urlsplit(with_token).netloc}"
    for path, body in (("/backup", {"to": "/tmp/x"}), ("/sql", {"query": "SELECT 1"})):  # noqa: S108 -- it is refused
        assert ask(with_token, path, body, cookie=cookie, origin=origin).status == 401
