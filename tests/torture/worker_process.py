"""Runs `lineage worker`, and kills its own process with SIGKILL at a planned point.

The product has no fault points: this script wraps its functions from outside.
`python -m tests.torture.worker_process POINT MOMENT NTH SHARE NOTES worker …`; POINT "" is never,
and "timed" kills nothing but notes how long each call of each point takes. With "spare" alone, the
arguments come as a line of JSON on stdin.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import lineage.database.connection
import lineage.store.writer
import streams.cli.commands.services.worker
import streams.worker.app
import streams.worker.pipeline.group_commit
import streams.worker.run
from lineage.store.transaction import Derivation
from lineage.store.writer import Writer
from streams.cli import main
from streams.worker.limits import WORKER_LIMITS
from streams.worker.pipeline.decode import Decoders
from streams.worker.pipeline.group_commit import GroupCommitter
from streams.worker.pipeline.sink import StoreSink
from tests.torture.plan import POINTS, SPARE, TIMED

# Small fetches and transactions: a life has many of them. The decoder's process gets what is usual.
LIMITS = replace(
    WORKER_LIMITS,
    fetch_bytes_max=16 * 1024,
    group_events_max=250,
    prefetch_events_min=100,
    decoder_process_events_min=100,
)
# Checkpoints are part of a commit; with the usual threshold a short life has none.
CHECKPOINT = "'1MB'"
_FIRST_CALL_SECONDS = 0.005

Call = Callable[..., Any]


class Strike:
    """The planned kill: before, within or after the nth call of one point."""

    def __init__(self, moment: str, nth: int, share: float, notes: Path) -> None:
        self._moment = moment
        self._nth = nth
        self._share = share
        self._notes = notes
        self._calls = 0
        self._seconds = _FIRST_CALL_SECONDS
        self._lock = threading.Lock()
        self._now = False

    def enter(self) -> float:
        """Begin a call; return the time."""
        with self._lock:
            self._calls += 1
            self._now = self._calls == self._nth
        if self._now and self._moment == "before":
            self._kill("before")
        if self._now and self._moment == "within":
            threading.Thread(target=self._later, daemon=True).start()
        return time.perf_counter()

    def leave(self, began: float) -> None:
        """End a call that began then. One that was shorter than expected is killed at its end."""
        self._seconds = time.perf_counter() - began
        if self._now:
            self._kill("after")

    def _later(self) -> None:
        time.sleep(self._share * self._seconds)
        self._kill("within")

    def _kill(self, moment: str) -> None:
        descriptor = os.open(self._notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, moment.encode())
        os.kill(os.getpid(), signal.SIGKILL)


class Stopwatch:
    """Notes the calls of one point as lines of JSON: [point, when it began, seconds]."""

    def __init__(self, point: str, notes: Path) -> None:
        self._point = point
        self._notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def enter(self) -> float:
        """Begin a call; return the time."""
        return time.monotonic()

    def leave(self, began: float) -> None:
        """End a call that began then."""
        now = time.monotonic()
        os.write(self._notes, f"{json.dumps([self._point, began, now - began])}\n".encode())


Watch = Strike | Stopwatch


def around(strike: Watch, function: Call) -> Call:
    """Return the function with the strike around its calls."""

    @wraps(function)
    def struck(*arguments: object) -> object:
        began = strike.enter()
        result = function(*arguments)
        strike.leave(began)
        return result

    return struck


def around_sending(strike: Watch, send: Call) -> Call:
    """Return a function that sends records, with the strike around calls that have any."""

    @wraps(send)
    async def struck(produce: object, records: Sequence[object], *more: object) -> None:
        if not records:
            return
        began = strike.enter()
        await send(produce, records, *more)
        strike.leave(began)

    return struck


class _Committing:
    """A connection with the strike around COMMIT."""

    def __init__(self, strike: Watch, connection: Any) -> None:  # noqa: ANN401 - DuckDB's own
        self._connection = connection
        self._commit = around(strike, connection.execute)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._connection, name)

    def execute(self, query: str, *arguments: object) -> object:
        execute = self._commit if query == "COMMIT" else self._connection.execute
        return execute(query, *arguments)


def _around_commit(strike: Watch) -> None:
    begin = Writer.__init__

    def struck(self: Writer, connection: Any, *others: Any) -> None:  # noqa: ANN401 - as they are
        begin(self, _Committing(strike, connection), *others)  # type: ignore[arg-type]  # acts as one

    setattr(Writer, "__init__", struck)  # noqa: B010 - mypy allows no other way


def _around_acks(strike: Watch) -> None:
    read: Callable[..., Awaitable[None]] = GroupCommitter.read

    async def struck(
        self: GroupCommitter, records: object, ack: Callable[[], object], *others: object
    ) -> None:
        await read(self, records, around(strike, ack), *others)

    setattr(GroupCommitter, "read", struck)  # noqa: B010 - as above


def _wrap(holder: object, name: str, strike: Watch, how: Callable[[Watch, Call], Call]) -> None:
    setattr(holder, name, how(strike, getattr(holder, name)))


def arm(point: str, strike: Watch) -> None:
    """Put the strike around the function that the point is."""
    commit = streams.worker.pipeline.group_commit
    wraps_of: dict[str, Callable[[], None]] = {
        "open": lambda: _wrap(StoreSink, "__init__", strike, around),
        "decode": lambda: _wrap(Decoders, "encoded", strike, around),
        "dead letters": lambda: _wrap(commit, "send_dead_letters", strike, around_sending),
        "apply": lambda: _wrap(Derivation, "apply", strike, around),
        "commit": lambda: _around_commit(strike),
        "ack": lambda: _around_acks(strike),
        "flags": lambda: _wrap(commit, "send_flags", strike, around_sending),
        "noted flags": lambda: _wrap(StoreSink, "published", strike, around),
    }
    wraps_of[point]()


def run(point: str, moment: str, nth: str, share: str, notes: str, *command: str) -> None:
    """Run the command: with small limits and the strike at the point; or as it is, timed."""
    if point == TIMED:
        for one in POINTS:
            arm(one, Stopwatch(one, Path(notes)))
    else:
        if point:
            arm(point, Strike(moment, int(nth), float(share), Path(notes)))
        lineage.database.connection._SETTINGS["checkpoint_threshold"] = CHECKPOINT
        slow = partial(streams.worker.run.run_worker, limits=LIMITS)
        streams.worker.run.run_worker = slow  # the command imports it when it runs
    sys.argv[1:] = command
    main()


if __name__ == "__main__":
    # A spare has made its imports, which take longest, and waits for what to run.
    run(*(json.loads(sys.stdin.readline()) if sys.argv[1:] == [SPARE] else sys.argv[1:]))
