"""Works on one question in a thread, and ends it: at its limit, or when nobody waits for it."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from lineage import LineageError, QueryError, QueryStuckError, StoreBusyError
from lineage.audit.query import over_time
from lineage.store.session import Session
from streams.serve.limits import ServeLimits
from streams.serve.readers import Readers

__all__ = ["ClientGoneError", "Places", "Work"]

T = TypeVar("T")

_NICENESS = 10


class ClientGoneError(LineageError):
    """Nobody waits for the answer any more."""


class Work:
    """Work on one question: the session that answers it, and the time that is left to it.

    gone: set when its client is.
    """

    def __init__(
        self, session: Session, seconds: float, gone: asyncio.Event, limits: ServeLimits
    ) -> None:
        self.session = session
        self._seconds = self._left = seconds
        self._gone = gone
        self._limits = limits
        self._call: asyncio.Future[Any] | None = None

    @property
    def call(self) -> asyncio.Future[Any] | None:
        """Return the call that has not returned yet, if there is one."""
        return None if self._call is None or self._call.done() else self._call

    async def run(self, call: Callable[[], T]) -> T:
        """Return the result of a call in a thread of its own.

        Raises the reason for which the session was ended, and QueryStuckError where the call does
        not return though it was ended.
        """
        future = _in_thread(call)
        self._call = future
        clock = asyncio.get_running_loop().time
        before, ended_at = clock(), 0.0
        while not future.done():
            await asyncio.wait({future}, timeout=self._limits.look_seconds)
            now = clock()
            self._left, before = self._left - (now - before), now
            reason = self._reason()
            if reason is not None and not future.done():
                ended_at = ended_at or now
                self.session.end(reason)
                if now - ended_at > self._limits.interrupted_seconds_max:
                    raise QueryStuckError(str(reason)) from reason
        try:
            return await future
        except Exception:
            if self.session.reason is not None:
                raise self.session.reason from None
            raise

    async def sent(self, sending: Awaitable[None]) -> None:
        """Wait until a part of the answer is sent. Raises the reason if the session is ended."""
        task = asyncio.ensure_future(sending)
        seconds = self._limits.stalled_seconds_max
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=self._limits.look_seconds)
                seconds -= self._limits.look_seconds
                if self._gone.is_set() or seconds < 0:
                    raise ClientGoneError("the client takes nothing of its answer")
                if self.session.reason is not None:
                    raise self.session.reason
            await task
        finally:
            task.cancel()

    def _reason(self) -> LineageError | None:
        if self.session.reason is not None:
            return self.session.reason
        if self._gone.is_set():
            return ClientGoneError("the client is gone")
        return over_time(self._seconds) if self._left <= 0 else None


class Places:
    """Lets so many questions be at work at once. Its methods run on one event loop."""

    def __init__(self, readers: Readers, limits: ServeLimits) -> None:
        self._readers = readers
        self._limits = limits
        self._free = asyncio.Semaphore(limits.questions_max)
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def work(self, seconds: float, gone: asyncio.Event) -> AsyncIterator[Work]:
        """Begin to work on a question, once there is a place for it.

        Raises StoreBusyError where there is none after a short wait. The place of a question that
        cannot be ended stays taken until it has ended.
        """
        try:
            async with asyncio.timeout(self._limits.place_seconds_max):
                await self._free.acquire()
        except TimeoutError:
            raise StoreBusyError(
                f"{self._limits.questions_max} questions are being answered, which is as many as"
                " there may be at once; ask again"
            ) from None
        try:
            session = self._readers.begin()
        except BaseException:
            self._free.release()
            raise
        work = Work(session, seconds, gone, self._limits)

        try:
            yield work
        finally:
            if work.call is None:
                self._finish(session)
            else:
                ending = asyncio.ensure_future(self._finish_later(session, work.call))
                self._ending.add(ending)
                ending.add_done_callback(self._ending.discard)

    async def _finish_later(self, session: Session, call: asyncio.Future[Any]) -> None:
        reason = QueryError("the question was given up")
        while not call.done():
            session.end(reason)
            await asyncio.wait({call}, timeout=self._limits.look_seconds)
        with suppress(Exception):  # there is nobody to tell
            await call
        self._finish(session)

    def _finish(self, session: Session) -> None:
        self._readers.finish(session)
        self._free.release()


def _in_thread(call: Callable[[], T]) -> asyncio.Future[T]:
    """Make a call in a thread that holds up no end of the process, and yields to recording."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type] # what the call returned

    def run() -> None:
        _yield_processor()
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # told to the task that waits
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="question", daemon=True).start()
    return future


def _yield_processor() -> None:
    """Let the threads that record go first where processors are few."""
    if sys.platform == "linux":  # where this is about one thread, and its children
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
