"""Reads the file that says who is told of flags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import yaml

from streams.alerts.limits import ALERT_LIMITS, AlertLimits
from streams.errors import WorkerError

__all__ = ["SEVERITIES", "AlertSettings", "Receiver"]

SEVERITIES: Final = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
Kind = Literal["alertmanager", "webhook"]
_KINDS: Final[tuple[Kind, ...]] = ("alertmanager", "webhook")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FIELDS: Final = {"name", *_KINDS, "severity", "token_file", "since"}
_EXAMPLE: Final = "receivers: [{name: on-call, alertmanager: http://127.0.0.1:9093}]"


@dataclass(frozen=True)
class Receiver:
    """A receiver of alerts.

    Attributes:
        name: The name under which it is kept in the database what it has.
        kind: How it is spoken to.
        url: Where; shown to nobody, as it can hold a password.
        severities: Of the flags that it is told of.
        token: Sent as a bearer token, if there is one.
        from_beginning: True where a new receiver gets all of history, and not only what is new.
    """

    name: str
    kind: Kind
    url: str = field(repr=False)
    severities: tuple[str, ...] = SEVERITIES
    token: str | None = field(default=None, repr=False)
    from_beginning: bool = False

    @property
    def shown(self) -> str:
        """Return its name and the host it is at."""
        return f"{self.name} ({urlsplit(self.url).hostname})"


@dataclass(frozen=True)
class AlertSettings:
    """Who is told, and the address of the console that links lead to, if there is one."""

    receivers: tuple[Receiver, ...]
    console: str | None = None
    limits: AlertLimits = ALERT_LIMITS

    @classmethod
    def read(cls, path: Path) -> AlertSettings:
        """Read a file (docs/alerts.md). Raises WorkerError, which quotes no address or token."""
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise WorkerError(f"{path}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise WorkerError(f"{path} is no YAML; it should be as {_EXAMPLE}") from error
        return cls._of(document, path)

    @classmethod
    def _of(cls, document: Any, path: Path) -> AlertSettings:  # noqa: ANN401 - whatever YAML gives
        if not isinstance(document, dict) or not document.keys() <= {"receivers", "console"}:
            raise WorkerError(f"{path} must have `receivers`, and may have `console`: {_EXAMPLE}")
        receivers = document.get("receivers")
        if not isinstance(receivers, list) or not receivers:
            raise WorkerError(f"{path}: `receivers` must be a list of at least one: {_EXAMPLE}")
        found = tuple(
            _receiver(given, f"{path}, receiver {place}", path.parent)
            for place, given in enumerate(receivers, start=1)
        )
        if len({one.name for one in found}) < len(found):
            raise WorkerError(f"{path}: two receivers have one name; what each has is kept by it")
        console = document.get("console")
        if console is not None and not _is_address(console):
            raise WorkerError(
                f"{path}: `console` must be a URL with http:// or https:// and a host"
            )
        return cls(found, console.rstrip("/") if console else None)


def _receiver(given: object, where: str, folder: Path) -> Receiver:
    if not isinstance(given, dict) or not given.keys() <= _FIELDS:
        raise WorkerError(f"{where}: must be an object with {', '.join(sorted(_FIELDS))} at most")
    kinds = [kind for kind in _KINDS if kind in given]
    name = given.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WorkerError(f"{where}: needs a `name` of at most 64 letters, digits, _ . and -")
    if len(kinds) != 1 or not _is_address(given[kinds[0]]):
        raise WorkerError(
            f"{where}: needs `alertmanager` or `webhook`, a URL with http:// or https:// and a host"
        )
    since = given.get("since", "now")
    if since not in ("now", "beginning"):
        raise WorkerError(f"{where}: `since` must be now or beginning")
    return Receiver(
        name,
        kinds[0],
        given[kinds[0]],
        _severities(given, where),
        _token(given, where, folder),
        since == "beginning",
    )


def _severities(given: Mapping[str, object], where: str) -> tuple[str, ...]:
    least = given.get("severity", SEVERITIES[0])
    if least not in SEVERITIES:
        raise WorkerError(f"{where}: `severity` must be the least: {', '.join(SEVERITIES)}")
    return SEVERITIES[SEVERITIES.index(least) :]


def _token(given: Mapping[str, object], where: str, folder: Path) -> str | None:
    named = given.get("token_file")
    if named is None:
        return None
    if not isinstance(named, str):
        raise WorkerError(f"{where}: `token_file` must be the path of a file")
    try:
        token = (folder / named).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkerError(f"{where}: its token_file cannot be read") from error
    if not token.isascii() or not token.isprintable() or not token:
        raise WorkerError(f"{where}: its token_file must hold one line of ASCII")
    return token


def _is_address(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
