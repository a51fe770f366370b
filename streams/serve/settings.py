"""Holds where and to whom a database is served, and checks that it is to nobody by mistake."""

from __future__ import annotations

import ipaddress
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from streams.errors import ListenError
from streams.serve.limits import SERVE_LIMITS, ServeLimits

__all__ = ["ANY_PORT", "ON_LOOPBACK", "ServeSettings", "is_loopback"]

ANY_PORT = "127.0.0.1:0"
_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\[\]:/@\s]+)):(\d{1,5})")
_TOKEN = re.compile(r"[!-~]{16,1024}")
_PORT_MAX = 65_535


@dataclass(frozen=True)
class ServeSettings:
    """Where a database is served: HOST and port (0: any free one).

    token: what a question has to bring; None: nothing, which is possible on loopback alone.
    console: whether pages are shown there, too. quack: whether DuckDB's own clients are answered.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = field(default=None, repr=False)
    limits: ServeLimits = SERVE_LIMITS
    console: bool = False
    quack: bool = False

    @classmethod
    def of(
        cls,
        address: str = ANY_PORT,
        token_file: Path | None = None,
        console: bool = False,
        quack: bool = False,
    ) -> ServeSettings:
        """Read HOST:PORT and a file with a token.

        Raises ListenError for what is no address, an address that others reach without a token,
        and a token file that others can read.
        """
        found = _HOST_PORT.fullmatch(address)
        if found is None or int(found[3]) > _PORT_MAX:
            raise ListenError(
                f"{address!r} is no address to listen at: HOST:PORT is, as {ANY_PORT} or [::1]:8080"
            )
        host = found[1] or found[2]
        token = None if token_file is None else _read_token(token_file)
        if token is None and not is_loopback(host):
            raise ListenError(
                f"{host} can be reached from other machines, so questions there need a token: name"
                " a file that holds one with --token-file"
            )
        return cls(host, int(found[3]), token, console=console, quack=quack)


ON_LOOPBACK = ServeSettings()
"""To this machine alone, on any free port."""


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address; not for names, but for localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read_token(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ListenError(f"{path} is no file; a token file holds one token")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ListenError(f"{path} is open to others than its owner; `chmod 600` it")
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise ListenError(f"{path}: {error.strerror}") from error
    if not _TOKEN.fullmatch(text):
        raise ListenError(
            f"{path} must hold one token: 16 to 1,024 visible characters of ASCII, as"
            " `openssl rand -hex 32` makes them"
        )
    return text
