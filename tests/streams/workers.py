"""Workers on a real Kafka, each a process: started, killed, and what they said."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from kafka.errors import GroupIdNotFoundError, RetriableError

import lineage
from streams.kafka.admin import admin_client
from tests.streams.kafka_helpers import committed_offsets

BATCH_BYTES_MAX = 8 << 20
"""The limit on the unpacked bytes of a batch of one that is "bounded"."""

# A worker of its own process, as `lineage worker` is one. Small fetches, and transactions that are
# small and slow, make a small log last long enough to be killed on the way.
COMMAND = """
import gc, logging, sys, time
from dataclasses import replace
import streams.worker.pipeline.sink
from streams.worker.limits import WORKER_LIMITS
from streams.worker.run import run_worker
logging.basicConfig(level="WARNING", format="%(levelname)s %(message)s")
db, bootstrap, group, once, slow = sys.argv[1:]
limits = WORKER_LIMITS
if slow in ("slow", "away"):
    bytes_max, events_max = (2048, 50) if slow == "slow" else (8192, 200)
    limits = replace(limits, fetch_bytes_max=bytes_max, group_events_max=events_max)
    apply = streams.worker.pipeline.sink.StoreSink.apply
    def slowly(*arguments):
        time.sleep(0.05)
        return apply(*arguments)
    streams.worker.pipeline.sink.StoreSink.apply = slowly
if slow == "away":  # a broker that goes away while it is slowly read
    kafka = replace(limits.kafka, broker_away_seconds_max=4, watch_interval_seconds=0.5)
    limits = replace(limits, kafka=kafka, report_seconds=1, session_seconds_max=6.0)
    limits = replace(limits, request_seconds_max=7.0)
    logging.getLogger("streams").setLevel("INFO")
    logging.getLogger("aiokafka").setLevel("CRITICAL")
if slow == "behind":  # slow, and ready only where nothing is left
    fetch = dict(fetch_bytes_max=8192, group_events_max=200)
    limits = replace(limits, **fetch, ready_lag_seconds_max=0.0, look_seconds=0.05)
    apply = streams.worker.pipeline.sink.StoreSink.apply
    def behind(*arguments):
        time.sleep(0.05)
        return apply(*arguments)
    streams.worker.pipeline.sink.StoreSink.apply = behind
if slow == "bounded":  # by what a batch may unpack to
    limits = replace(limits, kafka=replace(limits.kafka, unpacked_bytes_max=8 << 20))
if slow == "watched":
    apply = streams.worker.pipeline.sink.StoreSink.apply
    def watched(*arguments):
        print("the collector rests:", gc.get_freeze_count() > 10_000, file=sys.stderr)
        return apply(*arguments)
    streams.worker.pipeline.sink.StoreSink.apply = watched
if slow == "reporting":
    limits = replace(limits, report_seconds=0.5)
    logging.getLogger("streams.worker.app").setLevel("INFO")
if slow == "stuck":
    streams.worker.pipeline.sink.StoreSink.apply = lambda *_: time.sleep(3600)
try:
    run_worker(db, bootstrap, group=group, once=once == "once", limits=limits)
except Exception as error:
    print(type(error).__name__, error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


class RunningWorker:
    """A running command, and the lines that it has written to stderr so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.lines.append(line.rstrip("\n"))

    def until(self, text: str, seconds: float = 60) -> None:
        """Wait until a line has this text."""
        deadline = time.monotonic() + seconds
        while not any(text in line for line in list(self.lines)):
            assert time.monotonic() < deadline, self.lines[-5:]
            if self.process.poll() is not None:
                self._reading.join()
                raise AssertionError(f"ended with {self.process.returncode}: {self.lines[-5:]}")
            time.sleep(0.05)

    def ended(self, seconds: float) -> str:
        """Wait for it to end with code 3; the last line, which says why."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s: {self.lines[-5:]}") from None
        self._reading.join()
        assert code == 3, self.lines
        assert not any("Traceback" in line for line in self.lines), self.lines
        assert len(self.lines) < 300
        return self.lines[-1]


class Worker:
    """Workers on one database and group, each a process."""

    def __init__(self, db: Path, bootstrap: str, group: str) -> None:
        self.db = db
        self.bootstrap = bootstrap
        self.group = group
        self.running: list[subprocess.Popen[str]] = []

    def start(self, once: str = "", slow: str = "") -> subprocess.Popen[str]:
        arguments = [str(self.db), self.bootstrap, self.group, once, slow]
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments], stderr=subprocess.PIPE, text=True
        )
        self.running.append(process)
        return process

    def command(self, *options: str, before: Sequence[str] = ()) -> RunningWorker:
        """Start `lineage worker` itself; `before`: a program that starts it."""
        command = [sys.executable, "-m", "streams.cli", "worker", "--db", str(self.db)]
        command += ["--bootstrap", self.bootstrap, "--group", self.group, *options]
        process = subprocess.Popen(
            [*before, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.running.append(process)
        return RunningWorker(process)

    def drain(self, *, quiet: bool = True) -> None:
        """Run it until all that is there is recorded."""
        process = self.start(once="once")
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert said == "" or not quiet
        assert "Traceback" not in said

    def committed(self) -> int:
        return sum(committed_offsets(self.bootstrap, self.group).values())

    def kill_after(self, events: int) -> None:
        """Run it slowly, and kill it once it has acknowledged so many events in all."""
        process = self.start(slow="slow")
        deadline = time.monotonic() + 90
        while self.committed() < events:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline, f"{self.committed()} of {events}"
            time.sleep(0.05)
        process.kill()
        process.wait()

    def until_committed(self, events: int, seconds: float = 60) -> None:
        """Wait until so many are acknowledged in all."""
        deadline = time.monotonic() + seconds
        while self.committed() < events:
            assert time.monotonic() < deadline, f"{self.committed()} of {events}"
            time.sleep(0.1)

    def recorded(self) -> int:
        with lineage.open(self.db) as store:
            return sum(store.positions().values())


def members(worker: Worker) -> int:
    """How many workers the group has."""
    try:
        with admin_client(worker.bootstrap) as admin:
            described = admin.describe_groups([worker.group])
    except (RetriableError, GroupIdNotFoundError):  # it is not there yet
        return 0
    return len(described[worker.group]["members"])


def digest(db: Path) -> str:
    with lineage.open(db, read_only=True) as store:
        return store.digest()
