"""Loads a worker for long: at half of its top speed, with a slow disk, and by far too much."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import lineage
from streams.broker import LocalBroker
from streams.kafka.topics.topics import create_topics
from streams.simulate import simulate
from tests.torture.lives import ROOT
from tests.torture.plan import TIMED
from tests.torture.samples import Sampler, growth, median, stall_seconds_max
from tests.torture.slow_disk import slow_disk, why_no_slow_disk

_PARTITIONS = 4
_EVENTS_A_MESSAGE = 2.0
# So many that what is measured lasts for a minute or two: a rate that holds, not a spurt.
_TOP_MESSAGES = 3_000_000
_SLOW_SECONDS = 60.0
_SLOW_MILLISECONDS, _VERY_SLOW_MILLISECONDS = 500, 1_000
_FLOOD_SECONDS = 120.0
_DRAIN_SECONDS_MAX = 1_800.0
_LOOK_SECONDS = 5.0
# Flat: what a line through the samples grows by, after the warm-up, is less than this share of the
# median; and of the lag, less than what comes in so many seconds.
_FLAT_SHARE = 0.15
_FLAT_LAG_SECONDS = 3.0
_MIB_MAX = 2_048
_SIGTERM_SECONDS_MAX = 20.0


@dataclass
class Soaked:
    """The figures of a soak, and the sentences about what was wrong."""

    figures: dict[str, float | int | str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def check(self, holds: bool, sentence: str) -> None:
        """Note a sentence unless something holds."""
        if not holds:
            self.wrong.append(sentence)


@dataclass(frozen=True)
class Bench:
    """A broker, and a folder for databases and logs of events."""

    folder: Path
    bootstrap: str
    say: Callable[[str], None]

    @contextmanager
    def worker(self, name: str, more: Mapping[str, str] | None = None) -> Iterator[Sampler]:
        """Run a worker whose stages are timed, sampled; end it with SIGTERM."""
        command = [
            *(sys.executable, "-m", "tests.torture.worker_process", TIMED, "", "0", "0"),
            *(str(self.stages(name)), "worker", "--db", str(self.db(name))),
            *("--bootstrap", self.bootstrap, "--group", name),
        ]
        with (self.folder / f"{name}.log").open("wb") as stderr:
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **(more or {})}, stderr=stderr,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            with Sampler(self.bootstrap, name, process.pid) as sampler:
                yield sampler
            process.send_signal(signal.SIGTERM)
            process.wait(_SIGTERM_SECONDS_MAX)
        finally:
            process.kill()
            process.wait()

    def db(self, name: str) -> Path:
        """Return where the database of a worker is."""
        return self.folder / f"{name}.duckdb"

    def stages(self, name: str) -> Path:
        """Return where the times of a worker's stages are."""
        return self.folder / f"{name}.stages"

    def producer(self, log: Path, rate: float, most: int = 0) -> subprocess.Popen[str]:
        """Start a producer of a log, at a rate (0: its best), of so many events (0: all)."""
        command = [sys.executable, "-m", "tests.torture.load", str(log), self.bootstrap]
        command += [str(rate), str(most)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def log(self, name: str, messages: int, seed: int) -> Path:
        """Simulate a log of events."""
        path = self.folder / f"{name}-log"
        simulate(messages, seed, path, format="avro")
        return path


def run(
    seed: int, minutes: float, folder: Path, say: Callable[[str], None], log: Path | None = None
) -> Soaked:
    """Measure the top speed, soak at half of it, then slow the disk, then flood.

    log: one that is at least so long; simulated if there is none.
    """
    found = Soaked()
    with LocalBroker(folder / "kafka") as broker:
        create_topics(broker.bootstrap, _PARTITIONS)
        bench = Bench(folder, broker.bootstrap, say)
        top = _top_speed(bench, seed)
        found.figures["top speed, events/s"] = round(top)
        say(f"top speed: {top:,.0f} events/s")
    with LocalBroker(folder / "soak") as broker:
        create_topics(broker.bootstrap, _PARTITIONS)
        bench = Bench(folder, broker.bootstrap, say)
        events = int(top / 2 * minutes * 60)
        if log is None:
            log = bench.log("steady", int(events / _EVENTS_A_MESSAGE), seed + 1)
        _steady(bench, log, top / 2, events, found)
    why = why_no_slow_disk()
    if why is not None:
        say(f"no slow disk: {why}")
        return found
    with LocalBroker(folder / "slow") as broker:
        create_topics(broker.bootstrap, _PARTITIONS)
        _slow(Bench(folder, broker.bootstrap, say), seed, top / 2, found)
    with LocalBroker(folder / "flood") as broker:
        create_topics(broker.bootstrap, _PARTITIONS)
        _flood(Bench(folder, broker.bootstrap, say), seed, found)
    return found


def _top_speed(bench: Bench, seed: int) -> float:
    """Return how many events a worker records in a second, while they are sent as fast as can be.

    Producer, broker and worker share the machine, as they do in the soak.
    """
    log = bench.log("top", _TOP_MESSAGES, seed)
    with bench.worker("top") as sampler:
        sent = _count(bench.producer(log, 0), sampler)
        if not sampler.until(lambda now: now.recorded >= sent, _DRAIN_SECONDS_MAX):
            raise TimeoutError(f"{sampler.samples[-1]} after {_DRAIN_SECONDS_MAX:.0f} s")
    some = [one for one in sampler.samples if 0 < one.recorded < sent]
    first = some[0] if some else sampler.samples[0]
    last = next(one for one in sampler.samples if one.recorded >= sent)
    return (last.recorded - first.recorded) / (last.seconds - first.seconds)


def _steady(bench: Bench, log: Path, rate: float, events: int, found: Soaked) -> None:
    """Half of the top speed: memory and lag must be flat."""
    producer = bench.producer(log, rate, events)
    with bench.worker("steady") as sampler:
        sent = _count(producer, sampler)
        samples = list(sampler.samples)
        drained = sampler.until(lambda now: now.recorded >= sent, _DRAIN_SECONDS_MAX)
    found.check(drained, f"of {sent} events only {sampler.samples[-1].recorded} were recorded")
    _nothing_lost(bench.db("steady"), sent, "soak", found)
    reached = sent / samples[-1].seconds
    found.figures |= {
        "soak, minutes": round(samples[-1].seconds / 60, 1),
        "soak, events/s sent": round(reached),
        "soak, events": sent,
    }
    for name, of in (
        ("worker MiB", lambda one: one.worker_mib),
        ("decoder MiB", lambda one: one.decoder_mib),
    ):
        grown, usual = growth(samples, of), median(samples, of)
        found.figures |= {f"soak, {name}": round(usual), f"soak, {name} grown": round(grown, 1)}
        found.check(
            grown < _FLAT_SHARE * usual, f"soak: {name} grew by {grown:.0f}, of {usual:.0f}"
        )
    grown, usual = growth(samples, lambda one: one.lag), median(samples, lambda one: one.lag)
    found.figures |= {"soak, lag": round(usual), "soak, lag grown": round(grown)}
    found.check(grown < _FLAT_LAG_SECONDS * reached, f"soak: the lag grew by {grown:.0f} events")
    bench.say(f"soak: {found.figures}")


def _slow(bench: Bench, seed: int, rate: float, found: Soaked) -> None:
    """A slow disk makes lag, which goes when the producer pauses, and never loss."""
    messages = int(rate * _SLOW_SECONDS / _EVENTS_A_MESSAGE)
    producer = bench.producer(bench.log("slow", messages, seed + 2), rate)
    more = slow_disk(bench.folder, _SLOW_MILLISECONDS)
    with bench.worker("slow", more) as sampler:
        sent = _count(producer, sampler)
        drained = sampler.until(lambda now: now.recorded >= sent, _DRAIN_SECONDS_MAX)
    found.check(drained, f"slow disk: {sampler.samples[-1].recorded} of {sent} events in time")
    _nothing_lost(bench.db("slow"), sent, "slow disk", found)
    found.figures |= {
        f"slow disk ({_SLOW_MILLISECONDS} ms), events": sent,
        "slow disk, lag at the most": max(one.lag for one in sampler.samples),
        "slow disk, MiB at the most": round(_peak(sampler)),
        "slow disk, longest stall in s": round(stall_seconds_max(sampler.samples), 1),
    }
    bench.say(f"slow disk: {found.figures}\n{stage_table(bench.stages('slow'))}")


def _flood(bench: Bench, seed: int, found: Soaked) -> None:
    """Two producers as fast as they can, on a very slow disk: memory stays bounded."""
    logs = [bench.log(f"flood-{number}", 1_500_000, seed + 3 + number) for number in range(2)]
    more = slow_disk(bench.folder, _VERY_SLOW_MILLISECONDS)
    with bench.worker("flood", more) as sampler:
        producers = [bench.producer(log, 0) for log in logs]
        time.sleep(_FLOOD_SECONDS)
        samples = list(sampler.samples)
        for producer in producers:
            producer.kill()
            producer.wait()
    sent, recorded = samples[-1].sent, samples[-1].recorded
    found.figures |= {
        f"flood ({_VERY_SLOW_MILLISECONDS} ms), seconds": round(samples[-1].seconds),
        "flood, events sent": sent,
        "flood, events recorded": recorded,
        "flood, sent for one recorded": round(sent / max(1, recorded), 1),
        "flood, MiB at the most": round(_peak(sampler)),
        "flood, longest stall in s": round(stall_seconds_max(samples), 1),
    }
    found.check(_peak(sampler) < _MIB_MAX, f"flood: {_peak(sampler):.0f} MiB of memory")
    bench.say(f"flood: {found.figures}\n{stage_table(bench.stages('flood'))}")


def _count(producer: subprocess.Popen[str], sampler: Sampler) -> int:
    """Return how many events a producer sent, when it has ended; raise if the worker ends first."""
    while True:
        try:
            said, _ = producer.communicate(timeout=_LOOK_SECONDS)
            break
        except subprocess.TimeoutExpired:
            if not sampler.is_alive:
                producer.kill()
                producer.communicate()
                raise RuntimeError("the worker ended; its log says why") from None
    if producer.returncode:
        raise RuntimeError(f"the producer ended with {producer.returncode}")
    return int(said)


def _peak(sampler: Sampler) -> float:
    return max(one.worker_mib + one.decoder_mib for one in sampler.samples)


def _nothing_lost(db: Path, sent: int, what: str, found: Soaked) -> None:
    with lineage.open(db, read_only=True) as store:
        recorded = sum(store.positions().values())
        letters = store.sql("SELECT count(*) FROM dead_letter").fetchall()
    found.check(recorded == sent, f"{what}: {sent} were sent, and {recorded} recorded")
    found.check(letters == [(0,)], f"{what}: {letters} dead letters")


def stage_table(path: Path) -> str:
    """Return the stages of a worker as a table: calls, seconds in all, the longest one."""
    spent: dict[str, list[float]] = {}
    for line in path.read_text().splitlines():
        stage, _, seconds = json.loads(line)
        spent.setdefault(stage, []).append(seconds)
    rows = [f"{'stage':<14}{'calls':>8}{'seconds':>10}{'longest':>10}"]
    rows += [
        f"{stage:<14}{len(some):>8}{sum(some):>10.1f}{max(some):>10.2f}"
        for stage, some in spent.items()
    ]
    return "\n".join(rows)
