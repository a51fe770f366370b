"""Kills workers many times on a real Kafka, and checks that nothing is lost and nothing doubled."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from streams.broker import LocalBroker
from streams.kafka.topics.topics import create_topics
from tests.torture.checks import Findings, compared
from tests.torture.hostile_log import HostileLog, hostile_log
from tests.torture.lives import LIVE, ROOT, Ended, Lives
from tests.torture.plan import Fault, planned
from tests.torture.producer import Producer

# Records of the log for one simulated message, with all that is mixed in.
_RECORDS_A_MESSAGE = 2.05
# About what a worker records until it is killed.
_RECORDS_A_LIFE = 1_400
_DRAIN_SECONDS_MAX = 900.0
_REPLAYED = "replayed.duckdb"


@dataclass(frozen=True)
class Outcome:
    """What was done and found in one run. done: how often each fault happened."""

    done: Counter[str]
    findings: Findings
    seconds: float
    lives: Sequence[Ended] = field(repr=False)

    @property
    def kills(self) -> int:
        """How often a worker was killed with SIGKILL as planned."""
        return sum(1 for life in self.lives if life.code == -9 and life.wrong is None)


def run(
    seed: int, kills: int, folder: Path, say: Callable[[str], None], partitions: int = 4
) -> Outcome:
    """Run the plan of the seed in a folder of its own, and compare what was recorded."""
    began = time.monotonic()
    faults = planned(seed, kills)
    messages = int(len(faults) * _RECORDS_A_LIFE / _RECORDS_A_MESSAGE)
    log = hostile_log(messages, seed, folder)
    replay = _replay(log, folder)
    say(f"{len(log.records):,} records, {len(faults)} lives, seed {seed}, in {folder}")
    with LocalBroker(folder / "kafka") as broker:
        create_topics(broker.bootstrap, partitions)
        with Producer(broker.bootstrap, log.records) as producer:
            lives = _lives(faults, folder, broker, producer, say)
        if replay.wait():
            raise RuntimeError(f"the replay of {log.events} ended with {replay.returncode}")
        findings = compared(folder / LIVE, folder / _REPLAYED, log, broker.bootstrap)
    done = Counter(life.what for life in lives)
    return Outcome(done, _with_wrong_ends(findings, lives), time.monotonic() - began, lives)


def _lives(
    faults: Sequence[Fault],
    folder: Path,
    broker: LocalBroker,
    producer: Producer,
    say: Callable[[str], None],
) -> list[Ended]:
    found: list[Ended] = []
    with closing(Lives(folder, broker, producer, len(faults))) as lives:
        try:
            for number, fault in enumerate(faults, start=1):
                found.append(ended := lives.live(fault))
                said = f" WRONG: {ended.wrong} ({ended.said})" if ended.wrong else ""
                say(f"{number:4}/{len(faults)} {ended.what}, {ended.seconds:.1f} s{said}")
        except KeyboardInterrupt:
            say("stopped; what was done so far is checked")
        producer.finish()
        drained = lives.drain(_DRAIN_SECONDS_MAX)
    say(f"drained in {drained.seconds:.0f} s, {drained.wrong or 'as it should'}")
    return [*found, drained]


def _replay(log: HostileLog, folder: Path) -> subprocess.Popen[bytes]:
    """Begin to replay the log, behind the workers, which have to be quick."""
    command = ["nice", sys.executable, "-m", "streams.cli", "replay", str(log.events)]
    with (folder / "replay.log").open("wb") as out:
        return subprocess.Popen(
            [*command, "--db", str(folder / _REPLAYED)], cwd=ROOT, stdout=out, stderr=out
        )


def _with_wrong_ends(findings: Findings, lives: Sequence[Ended]) -> Findings:
    for number, life in enumerate(lives, start=1):
        findings.check(life.wrong is None, f"life {number}, {life.what}: {life.wrong}")
    return findings


def table(done: Counter[str]) -> str:
    """Return what was done as lines of a table."""
    return "\n".join(f"{count:6}  {what}" for what, count in sorted(done.items()))
