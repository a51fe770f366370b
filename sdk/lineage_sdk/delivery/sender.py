"""Sends what the spool holds, in order, in a thread of its own, until all is sent."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence

from ..errors import RefusedError, TransportError
from .journal import Journal, Portion
from .spool import Spool
from .transports.transport import Transport

_ADOPT_SECONDS = 5.0  # between looks for journals of processes that have ended
_PAUSE_SECONDS = 0.02  # so long events gather that are sent together
_BACKOFF_SECONDS = (0.2, 30.0)


class Sender:
    """A thread that sends, started when there is something to send.

    transport: makes the way out. warn: takes a sentence for the log. sent, refused: take numbers.
    """

    def __init__(
        self,
        spool: Spool,
        transport: Callable[[], Transport],
        warn: Callable[[str], None],
        sent: Callable[[int], None],
        refused: Callable[[int], None],
    ) -> None:
        self._spool = spool
        self._make_transport = transport
        self._warn = warn
        self._count_sent = sent
        self._count_refused = refused
        self._begin()

    def _begin(self) -> None:
        self._transport: Transport | None = None
        self._thread: threading.Thread | None = None
        # Who holds it takes no other lock: a signal's handler may hold that of the spool.
        self._changed = threading.Condition()
        self._woken = False
        self._hurry = False
        self._stopping = False
        self._failures = 0
        self._orphans: list[Journal] = []
        self._adopted_at = float("-inf")

    def wake(self) -> None:
        """Say that there is something to send."""
        if self._thread is None:
            with self._changed:
                if self._thread is None and not self._stopping:
                    self._start()
        else:
            with self._changed:
                self._woken = True
                self._changed.notify()

    def flush(self, seconds: float, *, others: bool = False) -> bool:
        """Wait until all of this process is sent; return whether it is.

        others: and all of processes that have ended by now, such as children of this one.
        """
        deadline = time.monotonic() + seconds
        if others:
            self._adopted_at = float("-inf")
        self.wake()
        while self._spool.waiting or (others and self._has_others()):
            left = deadline - time.monotonic()
            if left <= 0 or self._thread is None:
                return False
            with self._changed:
                self._hurry = True
                self._changed.notify_all()
                self._changed.wait(min(left, 0.05))
        return True

    def _has_others(self) -> bool:
        looked = self._adopted_at > float("-inf")
        return not self._failures and (not looked or bool(self._orphans))

    def stop(self, seconds: float) -> None:
        """End the thread; what it has in hand is waited for, so long at most."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def forget(self) -> None:
        """Begin anew in a forked child, which has no such thread."""
        for journal in self._orphans:
            journal.forget()
        if self._transport is not None:
            self._transport.forget()
        self._begin()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="lineage-sdk", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends: another process will send it
            self._stopping = True
        else:
            self._thread = thread

    def _run(self) -> None:
        while not self._stopping:
            try:
                busy = self._send_some()
                self._failures = 0
            except TransportError as error:
                self._warn(f"events wait to be sent: {error}")
                busy = False
                self._failures += 1
            except Exception as error:  # whatever it is, this thread goes on
                self._warn(f"events wait to be sent: {type(error).__name__}: {error}")
                busy = False
                self._failures += 1
            self._rest(busy)
        for journal in self._orphans:
            journal.close()
        if self._transport is not None:
            self._transport.close()

    def _rest(self, busy: bool) -> None:
        with self._changed:
            self._changed.notify_all()  # those who flush
            if self._stopping or busy:
                return
            if self._failures:
                low, high = _BACKOFF_SECONDS
                seconds = min(high, low * 2.0 ** min(self._failures - 1, 20))
                # Jobs that lost one broker do not come back to it all at once.
                seconds *= 0.5 + os.urandom(1)[0] / 255
                until = time.monotonic() + (min(seconds, 0.5) if self._hurry else seconds)
                self._hurry = False
                while not self._stopping and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
                    if self._hurry:
                        until = min(until, time.monotonic() + 0.5)
                        self._hurry = False
                return
            if not self._woken:
                self._changed.wait(_ADOPT_SECONDS)
            if not self._hurry and not self._stopping:
                self._changed.wait(_PAUSE_SECONDS)
            self._woken = self._hurry = False

    def _send_some(self) -> bool:
        """Send a portion of the oldest journal that has any; return whether there was one."""
        now = time.monotonic()
        if not self._orphans and now - self._adopted_at >= _ADOPT_SECONDS:
            self._adopted_at = now
            self._orphans = self._spool.orphans()
        while self._orphans:
            try:
                if self._send_of(self._orphans[0]):
                    return True
            except OSError as error:
                self._warn(f"{self._orphans[0].folder} can't be read: {error.strerror}")
            self._orphans.pop(0).close()
        return self._send_own()

    def _send_of(self, journal: Journal) -> bool:
        portion = journal.read()
        if portion is None:
            return False
        self._send(portion.lines)
        journal.mark_sent(portion)
        return True

    def _send_own(self) -> bool:
        own = self._spool.own()
        portion: Portion | None = None
        if own is not None:
            with self._spool.lock:
                portion = own.read()
        if own is not None and portion is not None:
            self._send(portion.lines)
            with self._spool.lock:
                own.mark_sent(portion)
            return True
        with self._spool.held_buffer() as lines:
            if lines:
                self._send(lines)
        return bool(lines)

    def _send(self, lines: Sequence[bytes]) -> None:
        if self._transport is None:
            self._transport = self._make_transport()
        try:
            self._transport.send(lines)
        except RefusedError as error:
            if len(lines) > 1:
                middle = len(lines) // 2
                self._send(lines[:middle])
                self._send(lines[middle:])
                return
            self._count_refused(1)
            self._warn(f"an event was refused for good: {error}")
        else:
            self._count_sent(len(lines))
