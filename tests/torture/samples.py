"""Samples the memory and the lag of a worker every few seconds, and says whether they are flat."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType

import numpy as np

from streams.errors import StreamsError
from streams.kafka.topics.topics import INPUT_TOPICS, end_offsets
from tests.streams.kafka_helpers import committed_offsets
from tests.torture.lives import children_of

_EVERY_SECONDS = 2.0
# Caches fill, and the database's buffers grow up to their limit, before anything can be flat.
_WARM_UP = 0.4


@dataclass(frozen=True)
class Sample:
    """A moment: seconds since the first one, MiB of worker and decoder, records in and recorded."""

    seconds: float
    worker_mib: float
    decoder_mib: float
    sent: int
    recorded: int

    @property
    def lag(self) -> int:
        """Records that are in Kafka and not acknowledged as recorded."""
        return self.sent - self.recorded


class Sampler:
    """A thread that takes samples while it is open. Every sample asks the broker twice."""

    def __init__(self, bootstrap: str, group: str, pid: int) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._pid = pid
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[Sample] = []

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join(30)

    @property
    def is_alive(self) -> bool:
        """Say whether the worker's process is there and no zombie."""
        try:
            state = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    def until(self, there: Callable[[Sample], bool], seconds: float) -> bool:
        """Wait until the last sample is as wanted; false where that takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.samples and there(self.samples[-1]):
                return True
            if not self.is_alive:
                return False
            time.sleep(0.2)
        return False

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stopped.wait(_EVERY_SECONDS):
            with suppress(StreamsError, OSError):
                sent = sum(end_offsets(self._bootstrap, INPUT_TOPICS).values())
                recorded = sum(committed_offsets(self._bootstrap, self._group).values())
                seconds = time.monotonic() - began
                worker = rss_mib(self._pid)
                decoder = sum(map(rss_mib, children_of(self._pid)))
                self.samples.append(Sample(seconds, worker, decoder, sent, recorded))


def rss_mib(pid: int) -> float:
    """Return the MiB of memory that a process holds; 0 where it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    kib = next((line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")), "0")
    return int(kib) / 1024


def growth(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """Return by how much a line through the values grows from the warm-up to the end."""
    kept = samples[int(len(samples) * _WARM_UP) :]
    seconds = np.array([sample.seconds for sample in kept])
    slope = float(np.polyfit(seconds, np.array([of(sample) for sample in kept]), 1)[0])
    return slope * float(seconds[-1] - seconds[0])


def median(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """Return the median of the values after the warm-up."""
    return float(np.median([of(sample) for sample in samples[int(len(samples) * _WARM_UP) :]]))


def stall_seconds_max(samples: Sequence[Sample]) -> float:
    """Return the longest time in which nothing was recorded though there was something."""
    longest, since = 0.0, samples[0].seconds
    for before, sample in pairwise(samples):
        if sample.recorded != before.recorded or before.lag == 0:
            since = sample.seconds
        longest = max(longest, sample.seconds - since)
    return longest
