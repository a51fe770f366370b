"""Lives of workers on one database: each is started, meets its planned fault, and ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaConsumer
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from streams.broker import LocalBroker
from streams.kafka.topics.topics import INPUT_TOPICS
from tests.torture.plan import BLIND, POINTS, SPARE, Fault
from tests.torture.producer import Producer

ROOT = Path(__file__).parent.parent.parent
LIVE = "live.duckdb"
READY = "Worker ready"
_PATIENCE_SECONDS = 15.0
# Processes that make their imports while others live.
_WAITING = 3
# Small parts of a life's records, one after the other, make many small transactions.
_A_BIT = 0.15
_MORE_EVERY_SECONDS = 0.4
_READY_SECONDS_MAX = 180.0
_END_SECONDS_MAX = 60.0
# The group gives a member up after ten.
_STOPPED_SECONDS = 14.0
_AWAY_SECONDS = 60.0
_REFUSED_SECONDS_MAX = 40.0
_JOINED_SECONDS_MAX = 20.0


@dataclass(frozen=True)
class Ended:
    """How a life ended.

    what: the fault as it happened, which names the point and moment of the kill. code: of the
    process. said: the last line on stderr. wrong: why that is no right end; None for a right one.
    """

    what: str
    code: int
    said: str
    seconds: float
    wrong: str | None = None


class Process:
    """A worker's process, whose stderr goes to a file."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr
            )
        self.pid = self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    @property
    def text(self) -> str:
        """All that it has written to stderr so far."""
        return self.log.read_text(errors="replace")

    def tell(self, arguments: Sequence[str]) -> None:
        """Say to a spare process what to run."""
        if self._process.stdin is None:
            raise AssertionError("a pipe was asked for")
        self._process.stdin.write(f"{json.dumps(arguments)}\n".encode())
        self._process.stdin.close()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ends(self, seconds: float) -> bool:
        """Wait for its end; say if it came."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def until_ready(self) -> bool:
        """Wait until it reads; false where it has ended, or does not in time."""
        return self.until(lambda: READY in self.text, _READY_SECONDS_MAX)

    def until(self, there: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is there; false where the process has ended, or time is over."""
        deadline = time.monotonic() + seconds
        while not there():
            if self.code is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def kill(self) -> int:
        """End it with SIGKILL; return its code."""
        self._process.kill()
        return self._process.wait()


class Lives:
    """Starts workers on one database and lets each meet a fault."""

    def __init__(self, folder: Path, broker: LocalBroker, producer: Producer, lives: int) -> None:
        self.db = folder / LIVE
        self._folder = folder
        self._broker = broker
        self._producer = producer
        self._lives = lives
        self._sent = 0.0
        self._number = 0
        self._groups = 0
        self._spares = 0
        self._waiting = [self._new_spare() for _ in range(_WAITING)]

    def close(self) -> None:
        """End the processes that wait for a life."""
        for process in self._waiting:
            process.kill()

    def live(self, fault: Fault) -> Ended:
        """Run a worker until it has met the fault and ended."""
        self._number += 1
        self._send_more(0.3)
        began = time.monotonic()
        process = self._start(fault)
        try:
            what, wrong = self._meet(fault, process)
            code = process.code
            if code is None:
                code = process.kill()
                wrong = wrong or "it did not end"
        finally:
            process.kill()
        lines = process.text.splitlines() or [""]
        if "Traceback" in process.text:
            wrong = wrong or "a traceback on stderr"
        if not fault.same_group:
            self._groups += 1
        return Ended(what, code, lines[-1], time.monotonic() - began, wrong)

    def _send_more(self, of_a_life: float) -> None:
        """Let the producer send more, a part of what a life gets; a little ahead at the most."""
        self._sent = max(self._number - 1, min(self._sent, self._number + 3)) + of_a_life
        self._producer.allow(self._sent / self._lives)

    def drain(self, seconds: float) -> Ended:
        """Run `lineage worker --once` as it is."""
        began = time.monotonic()
        command = [sys.executable, "-m", "streams.cli", *self._worker(self.db), "--once"]
        process = Process(command, self._folder / "drain.log")
        try:
            ended = process.ends(seconds)
        finally:
            code = process.kill()
        lines = process.text.splitlines() or [""]
        wrong = None if ended and code == 0 else f"code {code}: {lines[-1]}"
        return Ended("drained", code, lines[-1], time.monotonic() - began, wrong)

    def _start(self, fault: Fault) -> Process:
        notes = self._notes()
        notes.unlink(missing_ok=True)
        point = fault.kind if fault.kind in POINTS else ""
        process = self._waiting.pop(0)
        self._waiting.append(self._new_spare())
        numbers = [str(fault.nth), str(fault.share)]
        process.tell([point, fault.moment, *numbers, str(notes), *self._worker(self.db)])
        return process

    def _new_spare(self) -> Process:
        """Start the process of a later life, which makes its imports meanwhile."""
        self._spares += 1
        command = [sys.executable, "-m", "tests.torture.worker_process", SPARE]
        return Process(command, self._folder / f"life-{self._spares:04}.log")

    def _worker(self, db: Path) -> list[str]:
        return [
            *("worker", "--db", str(db), "--bootstrap", self._broker.bootstrap),
            *("--group", self._group),
        ]

    @property
    def _group(self) -> str:
        return f"torture-{self._groups}"

    def _notes(self) -> Path:
        return self._folder / "notes"

    def _meet(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        """Let a worker meet a fault; return what happened, and what was wrong with it."""
        if fault.kind in POINTS:
            return self._kill_at_point(fault, process)
        ways = {
            BLIND: self._kill_blindly,
            "SIGTERM": self._terminate,
            "SIGSTOP": self._stop_for_long,
            "decoder killed": self._kill_decoder,
            "broker killed": self._kill_broker,
            "broker away": self._take_broker_away,
            "second worker": self._second_worker,
            "other member": self._other_member,
        }
        return ways[fault.kind](fault, process)

    def _kill_at_point(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        if fault.kind != "open":
            process.until_ready()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not process.ends(_MORE_EVERY_SECONDS):
            if time.monotonic() > deadline:
                # The call did not come: not so many flags, say.
                process.kill()
                return BLIND, None
            self._send_more(_A_BIT)
        if process.code != -signal.SIGKILL:
            return "ended by itself", "it ended before its fault"
        moment = self._notes().read_text()
        # Two threads can both have come to it.
        return f"{fault.kind}, {'within' if 'within' in moment else moment}", None

    def _kill_blindly(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        if not fault.at_start:
            process.until_ready()
        if process.ends(fault.seconds):
            return "ended by itself", "it ended before its fault"
        process.kill()
        return BLIND, None

    def _terminate(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        process.until_ready()
        time.sleep(fault.share * 3)
        return fault.kind, self._end(process)

    def _end(self, process: Process) -> str | None:
        """End a worker as an operator does; return what was wrong."""
        if process.code is not None:
            return f"it ended with code {process.code} before it was asked to"
        process.send(signal.SIGTERM)
        if not process.ends(_END_SECONDS_MAX):
            return f"SIGTERM did not end it in {_END_SECONDS_MAX:.0f} s"
        return None if process.code == 0 else f"SIGTERM ended it with code {process.code}"

    def _stop_for_long(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        process.until_ready()
        time.sleep(fault.share * 2)
        process.send(signal.SIGSTOP)
        time.sleep(_STOPPED_SECONDS)
        process.send(signal.SIGCONT)
        self._send_more(1)
        time.sleep(8)
        return fault.kind, self._end(process)

    def _kill_decoder(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        process.until_ready()
        time.sleep(fault.share * 2)
        children = children_of(process.pid)
        if not children:
            return fault.kind, "it has no decoder's process"
        kill(children[0])
        self._send_more(0.25)
        if not process.ends(_END_SECONDS_MAX):
            return fault.kind, "it went on without its decoder"
        said = process.text.splitlines()[-1]
        right = process.code == 3 and "the process that decodes ended" in said
        return fault.kind, None if right else f"code {process.code}: {said}"

    def _kill_broker(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        return self._without_broker(fault, process, 1 + 5 * fault.share)

    def _take_broker_away(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        return self._without_broker(fault, process, _AWAY_SECONDS)

    def _without_broker(
        self, fault: Fault, process: Process, seconds: float
    ) -> tuple[str, str | None]:
        process.until_ready()
        time.sleep(fault.share * 3)
        if self._broker.pid is not None:
            kill(self._broker.pid)
        self._broker.stop()
        time.sleep(seconds)
        self._broker.start()
        self._send_more(1)
        time.sleep(10)
        if process.code == 3 and process.text.splitlines()[-1].startswith("Error: "):
            return f"{fault.kind}, worker ended", None
        return f"{fault.kind}, worker went on", self._end(process)

    def _second_worker(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        """Start another worker of the group, with a database of its own: it is not let in."""
        process.until_ready()
        name = f"second-{self._number:04}"
        command = [sys.executable, "-m", "streams.cli", *self._worker(self._folder / name)]
        second = Process(command, self._folder / f"{name}.log")
        try:
            self._send_more(1)
            ended = second.ends(_REFUSED_SECONDS_MAX)
        finally:
            code = second.kill()
        if not ended or code != 3 or "another worker of the group" not in second.text:
            return fault.kind, f"it was let in, or ended otherwise: code {code}"
        return fault.kind, self._end(process)

    def _other_member(self, fault: Fault, process: Process) -> tuple[str, str | None]:
        """Let another consumer of the group take a part of the partitions for a while."""
        process.until_ready()
        other = KafkaConsumer(
            *INPUT_TOPICS,
            bootstrap_servers=self._broker.bootstrap,
            group_id=self._group,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
        )
        deadline = time.monotonic() + _JOINED_SECONDS_MAX
        while not other.assignment() and time.monotonic() < deadline:
            other.poll(200)
        taken = len(other.assignment())
        self._send_more(1)
        time.sleep(1 + 3 * fault.share)
        other.close(autocommit=False)
        time.sleep(3)
        wrong = self._end(process)
        return fault.kind, wrong if taken else f"it took no partition; {wrong}"


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(one) for one in text.read_text().split()] if text.exists() else []
    return found or _children_by_parent(pid)


def _children_by_parent(pid: int) -> list[int]:
    """Look through all processes: the kernel may not keep lists of children."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found.append(int(stat.parent.name))
    return found


def kill(pid: int) -> None:
    """Send SIGKILL to a process of ours."""
    os.kill(pid, signal.SIGKILL)
