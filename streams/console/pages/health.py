"""Health: positions, the last commit, dead letters by reason, versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from streams.console.page.contents import Asked, Page
from streams.console.page.rows import Rows, ask

__all__ = ["health"]

_REASONS_MAX = 100
_PACKAGES = ("message-lineage", "duckdb", "faust-streaming", "aiokafka", "starlette", "uvicorn")


def health(asked: Asked) -> Page:
    """Return the page of the health."""
    totals = ask(asked.reader, "overview/totals")
    parts = {
        "positions": ask(asked.reader, "health/positions"),
        "dead_letters": ask(
            asked.reader, "health/dead_letter_reasons", asked.rows_max or _REASONS_MAX
        ),
        "totals": totals,
        "versions": Rows.of(
            [
                {"program": "Python", "version": platform.python_version()},
                *({"program": name, "version": _version(name)} for name in _PACKAGES),
            ]
        ),
    }
    return Page("health.html", "Health", parts, {"totals": totals.rows[0]})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
