"""Who is let in: by token, by the name of the machine, and no foreign web page."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

import lineage
from tests.streams.serve.serving import ask, serving

TOKEN = "a-token-of-some-length"  # noqa: S105 -- only this test's
VERBS = ("/", "/sql?query=SELECT+1", "/flags", "/route/m1", "/digest")


@pytest.fixture(scope="module")
def with_token(store: lineage.Store) -> Iterator[str]:
    with serving(store, token=TOKEN) as url:
        yield url


@pytest.mark.parametrize("path", VERBS)
@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer x", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", TOKEN]
)
def test_where_a_token_is_needed_nothing_else_lets_in(
    with_token: str, path: str, given: str | None
) -> None:
    told = ask(with_token, path) if given is None else ask(with_token, path, authorization=given)
    assert told.status == 401
    assert told.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in told.body.decode()


def test_a_token_lets_in_and_health_needs_none(with_token: str) -> None:
    for path in VERBS:
        assert ask(with_token, path, authorization=f"Bearer {TOKEN}").status == 200
    assert ask(with_token, "/health").status == 200
    assert lineage.connect(with_token, TOKEN).sql("SELECT 1").fetchall() == [(1,)]
    with pytest.raises(lineage.StoreUnreachableError, match="a token is needed"):
        lineage.connect(with_token).digest()


def test_what_acts_needs_a_token_on_the_same_machine_too(url: str) -> None:
    for path in ("/backup", "/backup?to=/tmp/x", "//backup", "/backup/"):
        assert ask(url, path, {}, method="POST").status in (401, 404, 307), path


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil"])
def test_a_name_that_is_not_this_machines_is_refused(url: str, host: str) -> None:
    """As where a web page has its own name point here (DNS rebinding)."""
    told = ask(url, "/sql?query=SELECT+1", host=host)
    assert told.status == 403
    assert "Host" in told.error


def test_two_names_are_none(url: str) -> None:
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: evil\r\nHost: 127.0.0.1\r\n\r\n")
        assert client.recv(100).split()[1] in (b"400", b"403")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_a_foreign_web_page_is_refused(url: str, headers: dict[str, str]) -> None:
    for body in (None, "SELECT 1"):
        told = ask(url, "/sql" if body else "/sql?query=SELECT+1", body, **headers)
        assert (told.status, "another origin" in told.error) == (403, True)
        assert "access-control-allow-origin" not in told.headers


def test_a_page_of_its_own_and_an_address_that_is_typed_may(url: str) -> None:
    assert ask(url, "/flags", origin=url, sec_fetch_site="same-origin").status == 200
    assert ask(url, "/flags", sec_fetch_site="none").status == 200
    port = url.rpartition(":")[2]
    assert ask(url, "/flags", host=f"localhost:{port}").status == 200


def test_no_answer_is_a_page_or_kept(url: str) -> None:
    for path in ("/flags", "/nope"):
        headers = ask(url, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
