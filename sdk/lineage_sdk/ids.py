"""Ids of events: time-ordered ones, and ones that a retry makes again; and instants as text."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

_lock = threading.RLock()
_last = 0
# 12 bits count within a millisecond; what is beyond them borrows from the next one.
_COUNT_BITS = 12


def uuid7() -> str:
    """Return a new UUIDv7 (RFC 9562), greater than those that this process had before."""
    global _last
    ticks = (time.time_ns() << _COUNT_BITS) // 1_000_000
    with _lock:
        _last = max(ticks, _last + 1)
        ticks = _last
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    millis, count = ticks >> _COUNT_BITS, ticks & ((1 << _COUNT_BITS) - 1)
    return _uuid((millis << 80) | (count << 64) | tail, 7)


def stable_id(key: object, parts: Sequence[object], millis: int | None = None) -> str:
    """Return a UUIDv8 that depends on a job's key and some parts alone: a retry makes it again.

    key: anything that JSON can say, spelled in any way, and dates and UUIDs. millis: of an instant
    that the id then begins with, as time-ordered ids do, which are found faster.
    """
    # Only jobs that give keys need these.
    from hashlib import sha256

    import rfc8785

    digest = sha256(rfc8785.dumps(_plain(key)))
    digest.update(json.dumps(parts, separators=(",", ":")).encode())
    number = int.from_bytes(digest.digest()[:16], "big")
    if millis is not None:
        number = (millis << 80) | (number & ((1 << 80) - 1))
    return _uuid(number, 8)


def _plain(key: Any) -> Any:  # noqa: ANN401 - whatever names something for a job
    """Return a key as canonical JSON takes it: without dates, and integers beyond 53 bits."""
    if isinstance(key, Mapping):
        return {str(name): _plain(value) for name, value in key.items()}
    if isinstance(key, (list, tuple)):
        return [_plain(value) for value in key]
    if isinstance(key, date):
        return key.isoformat()
    if type(key).__name__ == "UUID" or (isinstance(key, int) and abs(key) >= 1 << 53):
        return str(key)
    return key


def _uuid(number: int, version: int) -> str:
    number = number & ~(0xF << 76) & ~(0x3 << 62) | version << 76 | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def now_text() -> str:
    """Return the present in the canonical spelling of instants."""
    return instant_text(datetime.now(UTC))


def instant_text(at: datetime) -> str:
    """Return an instant in the canonical spelling; one without a zone is left without one.

    No zone is made up: the contract then refuses it.
    """
    if at.tzinfo is None:
        return at.isoformat(timespec="microseconds")
    try:
        utc = at.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # beyond the years that there are: the contract refuses it
        return at.isoformat()
    return utc.isoformat(timespec="microseconds") + "Z"


def forget_lock() -> None:
    """Make the lock anew: in a forked child nobody would ever give back the inherited one."""
    global _lock
    _lock = threading.RLock()
