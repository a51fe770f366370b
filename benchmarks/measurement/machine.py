"""Describes the machine of a figure: without it, no figure means anything."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["describe", "versions"]

LIBRARIES = (
    *("message-lineage", "duckdb", "polars", "pyarrow", "numpy", "orjson", "fastavro"),
    *("faust-streaming", "aiokafka", "kafka-python", "confluent-kafka", "quixstreams", "bytewax"),
)


def describe() -> dict[str, object]:
    """Give the machine as plain JSON values; what cannot be known is left out.

    cores: those that this process may use. load: processes that wanted to run in the minute
    before, which should be about 0, or the figures are those of a busy machine.
    """
    facts: dict[str, object | None] = {
        "system": platform.platform(),
        "cpu": _cpu(),
        "cores": _cores(),
        "memory_gib": _memory_gib(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": versions(),
    }
    return {name: value for name, value in facts.items() if value is not None}


def versions() -> dict[str, str]:
    """Give the versions of the libraries that are installed."""
    found = {name: _version(name) for name in LIBRARIES}
    return {name: number for name, number in found.items() if number is not None}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _cpu() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), None)


def _memory_gib() -> float | None:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)
