"""Holds a page before it is written: its template, its rows, and what else it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lineage import LineageError
from lineage.store.reader import Reader
from streams.console.flows import FlowCounts
from streams.console.page.rows import Rows

__all__ = ["Asked", "MissingError", "Page", "whole_number"]


class MissingError(LineageError):
    """There is nothing of that name."""


@dataclass(frozen=True)
class Asked:
    """A request for a page: whom it asks, what it is of, and the arguments in its address."""

    reader: Reader
    flows: FlowCounts
    name: str
    arguments: Mapping[str, str]
    rows_max: int

    def text(self, name: str) -> str | None:
        """Return an argument, or None where it is not given or empty."""
        return self.arguments.get(name, "").strip() or None


@dataclass(frozen=True)
class Page:
    """A page: the parts are the rows behind it, which its .json has, the first one its .csv."""

    template: str
    title: str
    parts: Mapping[str, Rows]
    shown: Mapping[str, object] = field(default_factory=dict)


def whole_number(text: str | None, default: int, most: int) -> int:
    """Read a number from an address; what is none, or is out of bounds, is the default."""
    return (
        int(text) if text is not None and text.isdecimal() and 0 <= int(text) <= most else default
    )
