"""Counts what a worker does, in series of Prometheus: nothing for an event, once for a batch."""

from __future__ import annotations

import re
from collections import Counter as Counts
from collections.abc import Iterable, Mapping
from typing import Final

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry

from lineage import BatchResult, __version__

__all__ = ["Meter", "reason_label"]

# A policy's author names rules, and schemas make reasons: neither may make series without end.
_LABELS_MAX: Final = 200
OTHER: Final = "other"
_REASON_CHARACTERS_MAX: Final = 100
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
# What differs from one value to the next: quoted names, long words of hex, and numbers.
_VALUES: Final = (
    (re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`"), "…"),
    (re.compile(r"\b(?=\w*\d)[\w-]{12,}\b"), "…"),
    (re.compile(r"\d[\d,._]*"), "N"),
)


class Meter:
    """The series that are counted while it works. Its methods may run in any thread."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._labels: dict[str, set[str]] = {}
        build = self._gauge("lineage_build_info", "The version that runs", "version")
        build.labels(__version__).set(1)
        self._records = self._counter(
            "lineage_records", "Kafka records that were read and recorded", "topic"
        )
        self._bytes = self._counter(
            "lineage_record_bytes", "Bytes of the values of those records", "topic"
        )
        self._batches = self._counter("lineage_batches", "Transactions that were committed")
        self._events = self._counter("lineage_events", "Events that were new")
        self._added = self._counter("lineage_arrivals_added", "Arrivals that batches came to")
        self._retracted = self._counter(
            "lineage_arrivals_retracted", "Arrivals that batches took back, on balance"
        )
        self._flags = self._counter(
            "lineage_flag_changes", "Flags raised and cleared", "rule", "severity", "status"
        )
        self._dead = self._counter(
            "lineage_dead_letters", "Values that could not be used", "reason"
        )
        self._commit_seconds = self._histogram(
            "lineage_commit_duration_seconds", "Time of a transaction, derivation and commit"
        )
        self._decode_seconds = self._histogram(
            "lineage_decode_duration_seconds", "Time to decode what one transaction records"
        )
        self._committed_at = self._gauge(
            "lineage_last_commit_timestamp_seconds", "When a transaction was committed last"
        )

    def decoded(self, seconds: float) -> None:
        """Count that what one transaction records was decoded."""
        self._decode_seconds.observe(seconds)

    def committed(self, result: BatchResult, seconds: float) -> None:
        """Count a transaction, and what it came to."""
        self._batches.inc()
        self._commit_seconds.observe(seconds)
        self._committed_at.set_to_current_time()
        self._events.inc(result.events)
        self._added.inc(max(0, result.arrivals))
        self._retracted.inc(max(0, -result.arrivals))
        self._count_flags(result)
        if result.dead_letters:
            for reason, count in Counts(one.reason for one in result.dead_letters).items():
                self._dead.labels(self._bounded("reason", reason_label(reason))).inc(count)

    def recorded(self, topics: Mapping[str, tuple[int, int]]) -> None:
        """Count records and bytes by topic, once they are recorded."""
        for topic, (records, size) in topics.items():
            self._records.labels(topic).inc(records)
            self._bytes.labels(topic).inc(size)

    def _count_flags(self, result: BatchResult) -> None:
        for (rule, severity, status), count in result.flags.counts.items():
            if status != "UPDATED":
                labels = (self._bounded("rule", rule), severity.lower(), status.lower())
                self._flags.labels(*labels).inc(count)

    def _bounded(self, label: str, value: str) -> str:
        known = self._labels.setdefault(label, set())
        if len(known) < _LABELS_MAX:
            known.add(value)
        return value if value in known else OTHER

    def _counter(self, name: str, told: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(name, told, labels, registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> prometheus.Gauge:
        return prometheus.Gauge(name, told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str) -> prometheus.Histogram:
        return prometheus.Histogram(name, told, registry=self.registry, buckets=_SECONDS)


def reason_label(reason: str) -> str:
    """Return the reason of a dead letter without what differs from value to value, and no ids."""
    for pattern, instead in _VALUES:
        reason = pattern.sub(instead, reason)
    return reason[:_REASON_CHARACTERS_MAX]


def totals(pairs: Iterable[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    """Sum records and bytes by topic."""
    found: dict[str, tuple[int, int]] = {}
    for topic, records, size in pairs:
        before = found.get(topic, (0, 0))
        found[topic] = before[0] + records, before[1] + size
    return found
