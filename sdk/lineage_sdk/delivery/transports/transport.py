"""Transports: how events leave the process; each is chosen by the address they go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from ..settings import Settings


class Transport(Protocol):
    """A way to one address. Only the sender's thread uses it."""

    def send(self, lines: Sequence[bytes]) -> None:
        """Send events, JSON lines, in their order; return when the other side has them all.

        Raises TransportError where it may not have them: they are then sent again, which changes
        nothing where they had arrived. Raises RefusedError where it takes them never: of several,
        each is then sent alone.
        """

    def close(self) -> None:
        """Let go of connections and files."""

    def forget(self) -> None:
        """Let go in a forked child, without a word to the other side: it is the parent's."""


def transport_for(settings: Settings) -> Transport:
    """Return the transport to the address of the settings; what it needs is imported now.

    Raises TransportError where a package is missing that it needs.
    """
    address = settings.emit or ""
    match urlsplit(address).scheme:
        case "file":
            from .file import FileTransport

            return FileTransport(urlsplit(address).path, settings.job)
        case "kafka":
            from .kafka import KafkaTransport

            return KafkaTransport(address, dict(settings.kafka))
        case _:
            from .http import HttpTransport

            return HttpTransport(address, settings.token)
