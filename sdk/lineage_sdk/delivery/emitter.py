"""The emitter: takes events from the job, and never stands in its way."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..contract.fields import Field
from ..contract.input_type import input_type
from ..contract.validate_event import wrong_with
from ..errors import EventError
from .sender import Sender
from .settings import Settings
from .spool import Spool
from .transports.transport import transport_for

_log = logging.getLogger("lineage_sdk")
_WARN_SECONDS = 60.0


@dataclass(frozen=True)
class Counters:
    """Numbers of events of this process.

    Attributes:
        reported: Those that keep the contract and were handed over.
        sent: Those that the other side has, of this process and of others that had ended.
        waiting: Those of this process on disk or in memory.
        refused: Those that break the contract, or that the other side never takes.
        lost: Those for which there was no room. More than 0: what was reported is not whole.
    """

    reported: int
    sent: int
    waiting: int
    refused: int
    lost: int


class Emitter:
    """Takes events, spools them, and sends them in the background."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._counts = dict.fromkeys(("reported", "sent", "refused"), 0)
        root = settings.spool / settings.destination
        self._spool = Spool(root, settings.spool_bytes_max, settings.buffer_bytes_max)
        self._sender = Sender(
            self._spool,
            lambda: transport_for(settings),
            self.warn,
            lambda number: self._count("sent", number),
            lambda number: self._count("refused", number),
        )
        self._begin()
        if self.sends:
            self._sender.wake()  # for what processes before this one left

    def _begin(self) -> None:
        self._lock = threading.RLock()  # reentrant: a signal's handler may report, too
        self._warned_at = float("-inf")
        self._unsaid = 0
        self._counts.update(dict.fromkeys(self._counts, 0))

    @property
    def sends(self) -> bool:
        """Return whether events go anywhere."""
        return self.settings.emit is not None and not self.settings.disabled

    def emit(self, event: Mapping[str, Any], strict: bool | None = None) -> bool:
        """Hand over an event in the JSON spelling; return whether it keeps the contract.

        strict: EventError is raised where it does not (None: as the settings say).
        """
        if self.settings.disabled:
            return True
        try:
            return self._emit(event, strict)
        except EventError:
            raise
        except Exception as error:  # whatever it is, the job goes on
            self.refuse(f"it could not be reported: {type(error).__name__}: {error}", strict)
            return False

    def _emit(self, event: Mapping[str, Any], strict: bool | None) -> bool:
        kind = input_type(event)
        wrong = kind if isinstance(kind, str) else wrong_with(kind, event)
        if wrong is not None or isinstance(kind, str):
            self.refuse(wrong or "", strict)
            return False
        known = {"event": kind.name, **_known(kind.fields, event)}
        line = json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._count("reported", 1)
        if self.sends:
            if self._spool.append(line):
                self._sender.wake()
            else:
                self.warn(f"an event is lost: {self._spool.trouble}, and so is memory")
        return True

    def refuse(self, reason: str, strict: bool | None = None) -> None:
        """Count and log a wrong event; raise EventError where that is wanted."""
        self._count("refused", 1)
        if self.settings.strict if strict is None else strict:
            raise EventError(reason)
        self.warn(f"an event was refused: {reason}")

    def flush(self, seconds: float) -> bool:
        """Wait until all that was reported is sent; return whether it is."""
        return not self.sends or self._sender.flush(seconds)

    def close(self, seconds: float) -> bool:
        """Flush, and end; what is not sent stays in the spool. Returns whether all is sent."""
        deadline = time.monotonic() + seconds
        done = not self.sends or self._sender.flush(seconds, others=True)
        self._sender.stop(max(0.1, deadline - time.monotonic()))
        lost, waiting = self._spool.buffered, self._spool.waiting
        self._spool.close()
        if waiting > lost:
            _log.warning("%d events wait in %s to be sent", waiting - lost, self.settings.spool)
        if lost:
            self._spool.lost += lost
            _log.warning("%d events are lost: %s", lost, self._spool.trouble)
        return done

    def counters(self) -> Counters:
        """Return the numbers of events so far."""
        waiting, lost = self._spool.waiting, self._spool.lost  # not while another lock is held
        with self._lock:
            return Counters(waiting=waiting, lost=lost, **self._counts)

    def warn(self, text: str) -> None:
        """Log a sentence, at most one a minute; the next one tells how many were not said."""
        now = time.monotonic()
        with self._lock:
            if now - self._warned_at < _WARN_SECONDS:
                self._unsaid += 1
                return
            more, self._unsaid, self._warned_at = self._unsaid, 0, now
        lost = self._spool.lost
        _log.warning(
            "%s%s%s",
            text,
            f" (and {more:,} more warnings)" if more else "",
            f"; {lost:,} events are lost so far" if lost else "",
        )

    def forget(self) -> None:
        """Begin anew in a forked child."""
        self._spool.forget()
        self._sender.forget()
        self._begin()

    def before_fork(self) -> None:
        """Hold the spool, so that the child finds it whole."""
        self._spool.lock.acquire()

    def after_fork(self) -> None:
        """Let go of the spool in the parent."""
        self._spool.lock.release()

    def _count(self, what: str, number: int) -> None:
        with self._lock:
            self._counts[what] += number


def _known(fields: tuple[Field, ...], value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the contract alone: nothing else is written anywhere."""
    return {f.name: _known_value(f, value[f.name]) for f in fields if f.name in value}


def _known_value(field: Field, value: Any) -> Any:  # noqa: ANN401 - whatever the field is
    if field.kind == "record" and value is not None:
        return _known(field.fields, value)
    if field.kind == "records":
        return [_known(field.fields, item) for item in value]
    return value
