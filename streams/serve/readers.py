"""Keeps account of the questions at work, and ends them where their memory is needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lineage import LineageError, StoreBusyError
from lineage.store.reader import Reader
from lineage.store.session import Session
from streams.serve.limits import SERVE_LIMITS, ServeLimits

__all__ = ["Readers"]


class Readers:
    """Begins and ends the sessions of one open database. Its methods may run in any thread."""

    def __init__(self, reader: Reader, limits: ServeLimits = SERVE_LIMITS) -> None:
        self.reader = reader
        self._limits = limits
        self._sessions: set[Session] = set()
        self._changed = threading.Condition()
        self._refusal: LineageError | None = None
        self._closed: LineageError | None = None
        self.finished = 0  # sessions

    @property
    def at_work(self) -> int:
        """Return how many sessions are at work."""
        return len(self._sessions)

    def begin(self) -> Session:
        """Return a new session. Raises StoreBusyError while sessions are held off."""
        with self._changed:
            refusal = self._closed or self._refusal
            if refusal is not None:
                raise refusal
            session = Session(self.reader)
            self._sessions.add(session)
            return session

    def finish(self, session: Session) -> None:
        """Close a session whose calls have all returned."""
        session.close()
        with self._changed:
            self._sessions.discard(session)
            self.finished += 1
            self._changed.notify_all()

    @contextmanager
    def held_off(self) -> Iterator[None]:
        """End all sessions, and begin none until the block is left."""
        reason = StoreBusyError(
            "the question was ended, since what is being recorded needs its memory; ask again"
        )
        with self._changed:
            self._refusal = reason
        try:
            self._end(reason, self._limits.freed_seconds_max)
            yield
        finally:
            with self._changed:
                self._refusal = None

    def close(self) -> None:
        """End all sessions, and begin none any more."""
        reason = StoreBusyError("the process that served the database is ending; ask again")
        with self._changed:
            self._closed = reason
        self._end(reason, self._limits.stop_seconds_max)

    def _end(self, reason: LineageError, seconds: float) -> None:
        looks = int(seconds / self._limits.look_seconds)
        with self._changed:
            while self._sessions and looks:
                # Again and again, as an interrupt between two queries is forgotten.
                for session in self._sessions:
                    session.end(reason)
                self._changed.wait(self._limits.look_seconds)
                looks -= 1
