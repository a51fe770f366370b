"""Collects what is looked up when Prometheus asks: lag, sizes, flags that stand, questions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lineage import LineageError
from lineage.database.storage.write_ahead_log import path_of
from streams.metrics.progress import Progress
from streams.serve.readers import Readers

__all__ = ["Scraped", "Watched"]

_OPEN_FLAGS: Final = (
    "SELECT rule, lower(severity), count(*) FROM flag GROUP BY ALL ORDER BY 3 DESC LIMIT 200"
)
_FLAGS_SECONDS: Final = 10.0  # many scrapers cost no more than one
Rows = Sequence[tuple[str, str, int]]


@dataclass(frozen=True)
class Watched:
    """What is looked at. db: the file, None in memory. progress: None where no worker is."""

    readers: Readers
    db: Path | None
    progress: Callable[[], Progress] | None = None
    retried: Callable[[], int] | None = None
    seconds_max: float = 0.0


class Scraped(Collector):
    """The series whose values are found at a scrape."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._flags: Rows = ()
        self._flags_at = -_FLAGS_SECONDS
        self._asking = threading.Lock()

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand: nothing is to be asked before the first scrape."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Look everything up."""
        yield from self._sizes()
        readers = self._watched.readers
        yield _gauge("lineage_questions_active", "Questions at work", readers.at_work)
        yield _counter("lineage_questions", "Questions that were answered", readers.finished)
        flags = GaugeMetricFamily(
            "lineage_flags_open", "Flags that stand", labels=("rule", "severity")
        )
        for rule, severity, count in self._open_flags():
            flags.add_metric((rule, severity), count)
        yield flags
        if self._watched.retried is not None:
            told = "Transactions that were tried again for lack of memory"
            yield _counter("lineage_transactions_retried", told, self._watched.retried())
        if self._watched.progress is not None:
            yield from self._lags(self._watched.progress())

    def _sizes(self) -> Iterator[Metric]:
        if self._watched.db is None:
            return
        sizes = (
            ("lineage_database_size_bytes", "Size of the database file", self._watched.db),
            (
                "lineage_database_wal_size_bytes",
                "Size of the write-ahead log beside it",
                path_of(self._watched.db),
            ),
        )
        for name, told, path in sizes:
            yield _gauge(name, told, _size(path))

    def _open_flags(self) -> Rows:
        """Ask the database, but not more often than it is worth; what it was, if it can't now."""
        with self._asking:
            if time.monotonic() - self._flags_at >= _FLAGS_SECONDS:
                try:
                    session = self._watched.readers.begin()
                except LineageError:
                    return self._flags
                try:
                    self._flags = session.sql(_OPEN_FLAGS).fetchall()
                    self._flags_at = time.monotonic()
                except LineageError:
                    pass
                finally:
                    self._watched.readers.finish(session)
            return self._flags

    def _lags(self, progress: Progress) -> Iterator[Metric]:
        labels = ("topic", "partition")
        records = GaugeMetricFamily(
            "lineage_consumer_lag_records", "Offsets not recorded yet", labels=labels
        )
        seconds = GaugeMetricFamily(
            "lineage_consumer_lag_seconds",
            "Age of what was recorded last where more is there; 0 where not",
            labels=labels,
        )
        for (topic, partition), lag in progress.lags.items():
            records.add_metric((topic, str(partition)), lag.records)
            if lag.seconds is not None:
                seconds.add_metric((topic, str(partition)), lag.seconds)
        yield records
        yield seconds
        yield _gauge(
            "lineage_queue_records", "Records read that wait for a transaction",
            progress.queued_records,
        )  # fmt: skip
        yield _gauge(
            "lineage_broker_away_seconds", "For how long the broker has been away; 0: it is there",
            progress.away_seconds or 0.0,
        )  # fmt: skip
        yield _gauge(
            "lineage_ready", "1 if /readyz says that it is ready",
            progress.why_not_ready(self._watched.seconds_max) is None,
        )  # fmt: skip


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)


def _counter(name: str, told: str, value: float) -> Metric:
    return CounterMetricFamily(name, told, value=value)
