"""Where a database is served, and to whom; and where that is told."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

import lineage
from streams.errors import ListenError, ServeError
from streams.serve.address_file import ServedAt, address_file, announce, announced, withdraw
from streams.serve.readers import Readers
from streams.serve.server import QuestionServer
from streams.serve.settings import ServeSettings
from tests.streams.serve.serving import ask, serving

TOKEN = "a-token-of-some-length"  # noqa: S105 -- only this test's
HERE = ServedAt("http://127.0.0.1:1", TOKEN, os.getpid(), socket.gethostname(), "i", "now")


def token_file(folder: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(text + "\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("localhost:80", "localhost", 80),
        ("[::1]:9", "::1", 9),
        ("127.9.9.9:65535", "127.9.9.9", 65535),
    ],
)
def test_on_this_machine_no_token_is_needed(address: str, host: str, port: int) -> None:
    settings = ServeSettings.of(address)
    assert (settings.host, settings.port, settings.token) == (host, port, None)


@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1"])
def test_what_others_reach_needs_a_token(address: str, tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="--token-file"):
        ServeSettings.of(address)
    settings = ServeSettings.of(address, token_file(tmp_path))
    assert settings.token == TOKEN
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize("address", ["", "8080", ":80", "127.0.0.1", "::1:80", "a b:1", "h:99999"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ListenError, match="HOST:PORT"):
        ServeSettings.of(address)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
def test_a_token_that_others_can_read_is_none(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ListenError, match="chmod 600"):
        ServeSettings.of(token_file=token_file(tmp_path, mode=mode))


@pytest.mark.parametrize("text", ["", "short", "with a space in between", "ümlaut-ümlaut-ümlaut"])
def test_a_token_has_a_length_and_visible_characters(tmp_path: Path, text: str) -> None:
    with pytest.raises(ListenError, match="must hold one token"):
        ServeSettings.of(token_file=token_file(tmp_path, text))


def test_a_token_file_must_be_a_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ListenError, match=str(path)):
            ServeSettings.of(token_file=path)


def test_a_port_that_is_taken_is_said(store: lineage.Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = ServeSettings(port=port)
        server = QuestionServer(Readers(store), settings, None, store.backup)
        with pytest.raises(ServeError, match=f"127.0.0.1:{port}: Address already in use"):
            server.start()


def test_the_address_is_told_beside_the_database_to_its_owner(
    store: lineage.Store, tmp_path: Path
) -> None:
    db = tmp_path / "x.duckdb"
    link = tmp_path / "link.duckdb"
    db.touch()
    link.symlink_to(db)
    with serving(store, link) as url:
        path = tmp_path / "x.duckdb.serve.json"
        assert address_file(db) == path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        where = announced(db)
        assert where is not None
        assert (where.url, where.pid, where.is_gone()) == (url, os.getpid(), False)
        assert ask(url, "/health").json["instance"] == where.instance
        assert where.token not in repr(where)
    assert not path.exists()


def test_an_address_is_withdrawn_by_its_own_server_alone(tmp_path: Path) -> None:
    db = tmp_path / "x.duckdb"
    announce(db, HERE)
    withdraw(db, "another")
    assert announced(db) == HERE
    withdraw(db, "i")
    assert announced(db) is None


def test_a_process_that_is_gone_is_known_to_be(tmp_path: Path) -> None:
    gone = os.fork()
    if not gone:
        os._exit(0)
    os.waitpid(gone, 0)
    assert replace(HERE, pid=gone).is_gone()
    assert not replace(HERE, pid=gone, host="another machine").is_gone()
    assert not HERE.is_gone()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": 1}', "x" * 20_000])
def test_a_file_that_tells_nothing_is_none(tmp_path: Path, text: str) -> None:
    db = tmp_path / "x.duckdb"
    address_file(db).write_text(text)
    assert announced(db) is None
