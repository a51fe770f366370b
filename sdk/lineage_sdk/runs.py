"""Runs: that a job began and how it ended, and how much it says it has reported.

The counts are what completeness is held against: hops that were reported and are not in the
tracker's tables are missing, whatever became of them on the way.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from .builders import RunState, run_reported
from .delivery.current import emitter
from .ids import stable_id, uuid7

_current: ContextVar[Run | None] = ContextVar("lineage_sdk.run", default=None)
# Threads that a job starts have no context of the run: they take the run opened last.
_open: list[Run] = []


class Run:
    """A run of a job, a context manager: START on entry; COMPLETE, FAIL or ABORT at the end.

    job: its name (None: as the settings say). run_id: its id (None: a new one). key: anything that
    JSON can say, from which the id is made, so that a retry has the same. every: seconds between
    RUNNING reports (None: none). FAIL: an exception left the block; ABORT: it was interrupted, or
    ended by another exit code than 0. Whatever happens, the exception goes on.
    """

    def __init__(
        self,
        job: str | None = None,
        *,
        run_id: str | None = None,
        key: object = None,
        every: float | None = 60.0,
        strict: bool | None = None,
    ) -> None:
        self.job = emitter().settings.job if job is None else job
        self.id = _id_of(key, self.job) if run_id is None else run_id
        self.hops = 0
        self.records = 0
        self._every = every
        self._strict = strict
        self._lock = threading.RLock()  # a signal's handler may report, too
        self._token: Token[Run | None] | None = None
        self._ended = threading.Event()

    def __enter__(self) -> Run:
        self.report("START")
        self._token = _current.set(self)
        _open.append(self)
        if self._every is not None and emitter().sends:
            thread = threading.Thread(target=self._repeat, name="lineage-sdk-run", daemon=True)
            with suppress(RuntimeError):  # the interpreter ends
                thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._token is not None:
            try:
                _current.reset(self._token)
            except ValueError:  # ended in another context than it began in
                _current.set(None)
        if self in _open:
            _open.remove(self)
        self.report(_state(error), raising=error is None)

    def report(self, state: RunState, *, raising: bool = True) -> None:
        """Report the state of the run, with its counts so far."""
        with self._lock:
            event = run_reported(
                self.id,
                state,
                hops=self.hops,
                records=self.records,
                job=self.job,
                strict=False,
            )
        emitter().emit(event, self._strict if raising else False)

    def count(self, hop: Mapping[str, Any]) -> None:
        """Count a hop that was reported with the id of this run."""
        with self._lock:
            self.hops += 1
            self.records += len(set(hop["inputs"])) + len(set(hop["outputs"]))

    def _repeat(self) -> None:
        while not self._ended.wait(self._every):
            self.report("RUNNING", raising=False)


def count_hop(event: Mapping[str, Any]) -> None:
    """Count a hop that was handed over by the run that it names, if that is open here."""
    found = _current.get()
    for one in (*([found] if found else []), *_open):
        if one.id == event.get("run_id"):
            one.count(event)
            return


def current_run() -> Run | None:
    """Return the run that this code is in; in a thread of the job's, the one opened last."""
    found = _current.get()
    if found is None and _open:
        found = _open[-1]
    return found


@functools.lru_cache(maxsize=1)
def process_run_id() -> str:
    """Return the id for hops outside of any run: one for each process."""
    return uuid7()


def _id_of(key: object, job: str) -> str:
    if key is None:
        return uuid7()
    try:
        return stable_id(key, ["run", job])
    except Exception as error:  # such a key must not end the job
        emitter().refuse(f"the key of a run must be what JSON can say: {error}")
        return uuid7()


def _state(error: BaseException | None) -> RunState:
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "COMPLETE"
    return "FAIL" if isinstance(error, Exception) else "ABORT"


def _begin_in_child() -> None:
    # A forked child is no part of the run: its counts would be told by nobody.
    _open.clear()
    _current.set(None)
    process_run_id.cache_clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_begin_in_child)
