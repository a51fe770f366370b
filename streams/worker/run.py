"""Runs the Faust worker in this process, and ends it within bounds: the cause is the last line."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from contextlib import suppress
from typing import Any, cast

import faust

from streams.alerts.settings import AlertSettings
from streams.kafka.connection import KafkaConnection
from streams.kafka.registry.rest import Address
from streams.serve.settings import ON_LOOPBACK, ServeSettings
from streams.worker.app import LineageApp
from streams.worker.configuration.settings import DEFAULT_GROUP, WRITER_MEMORY_MIB, Settings
from streams.worker.limits import WORKER_LIMITS, WorkerLimits
from streams.worker.reports.explain import explained
from streams.worker.reports.tally import Tally

__all__ = ["BoundedWorker", "end_process", "run_worker"]

logger = logging.getLogger(__name__)

_EXIT_FAILED = 3


class BoundedWorker(faust.Worker):
    """Faust's worker, whose shutdown takes at most `shutdown_seconds_max`.

    Faust can sit through a SIGTERM for minutes where a stream is stuck. Ending the process at
    any point is safe here: what is committed is committed, and the rest is read again.
    """

    error: BaseException | None = None
    _timer: threading.Timer | None = None

    @property
    def _limits(self) -> WorkerLimits:
        return cast(LineageApp, self.app).settings.limits

    def _schedule_shutdown(self, signal: Any) -> None:  # noqa: ANN401 - inherited
        self._end_by_force_later(self._limits.shutdown_seconds_max)
        super()._schedule_shutdown(signal)

    def _crash(self, reason: BaseException) -> None:
        """Tell the app what a service of Faust's own crashed with, in whatever thread it did."""
        cast(LineageApp, self.app).end(reason)
        super()._crash(reason)

    def end(self, error: BaseException | None) -> None:
        """Stop everything, and by force if it does not stop in time. Call it from any thread."""
        self.error = error
        limits = self._limits
        self._end_by_force_later(
            limits.shutdown_seconds_max if error is None else limits.failed_shutdown_seconds_max
        )
        with suppress(RuntimeError):  # the loop is closed: all has stopped
            self.loop.call_soon_threadsafe(self._stop_soon)

    def _stop_soon(self) -> None:
        # Where Faust looks for a stop that it has to wait for.
        self._signal_stop_future = asyncio.ensure_future(self.stop(), loop=self.loop)

    def _end_by_force_later(self, seconds: float) -> None:
        """End the process after so long, unless `in_time` is called."""
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._end_by_force)
            self._timer.daemon = True
            self._timer.start()

    def in_time(self) -> None:
        """Say that everything has stopped."""
        if self._timer is not None:
            self._timer.cancel()

    def _end_by_force(self) -> None:
        if self.error is None:
            logger.warning("not everything stopped in time; ended anyway, and nothing is lost")
        else:
            # The cause is the last line, however it ends.
            settings = cast(LineageApp, self.app).settings
            print(f"Error: {explained(self.error, settings)}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(0 if self.error is None else _EXIT_FAILED)


def run_worker(
    db: str | os.PathLike[str],
    broker: KafkaConnection | str,
    *,
    once: bool = False,
    registry_url: Address | str | None = None,
    group: str = DEFAULT_GROUP,
    memory_mib: int = WRITER_MEMORY_MIB,
    limits: WorkerLimits = WORKER_LIMITS,
    replication_factor: int | None = None,
    serve: ServeSettings | None = ON_LOOPBACK,
    alerts: AlertSettings | None = None,
) -> Tally:
    """Record what is in the topics, and what comes, into `db`; call from the main thread.

    Returns what was recorded, after SIGINT or SIGTERM; with `once`, when all that was in the
    topics when it began is recorded: of transactions, what was committed by then. Raises
    BrokerUnavailableError within some ten seconds where no broker answers at the start (one that
    goes away later is waited for, without `once`), AccessError, StoreError where the
    database cannot be used, and StreamsError where it cannot go on; all that was acknowledged by
    then is in the database. Should the shutdown take longer than `shutdown_seconds_max`, it ends
    the process with the exit code of the outcome, and the sentence of the error as the last line.
    """
    settings = Settings(
        os.fspath(db),
        broker,
        group,
        registry_url,
        once,
        memory_mib,
        limits,
        replication_factor,
        serve,
        alerts,
    )
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    outcome: list[BaseException | None] = []

    def on_end(error: BaseException | None) -> None:
        outcome.append(error)
        worker.end(error)

    app = LineageApp(settings, on_end)
    loop.run_until_complete(app.prepare())
    worker = BoundedWorker(
        app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False
    )
    worker.spinner = None
    try:
        _run(worker)
    except Exception as error:
        outcome.append(error)
    finally:
        worker.in_time()
    failures = [error for error in outcome if error is not None]
    if failures:
        told = explained(failures[0], settings)
        if told is failures[0]:
            raise told
        raise told from failures[0]
    return app.committer.tally


def _run(worker: BoundedWorker) -> None:
    try:
        worker.loop.run_until_complete(worker.start())
    except asyncio.CancelledError:
        pass  # stopped by a signal while it started
    finally:
        worker.stop_and_shutdown()


def end_process(settings: Settings, error: BaseException | None) -> None:
    """Say in one sentence why the process ends, and end it: for workers started by Faust itself.

    Nothing restarts the agents meanwhile, which would read past what was not acknowledged.
    """
    if error is None:
        os._exit(0)
    logging.shutdown()
    # Faust's command puts its log in the place of sys.stderr, and that leaves out much.
    print(f"Error: {explained(error, settings)}", file=sys.__stderr__, flush=True)
    os._exit(_EXIT_FAILED)
