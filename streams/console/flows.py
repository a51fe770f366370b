"""Counts the flows between datasets, and goes on counting from where it was."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import Lock

from lineage.store.reader import Reader
from streams.console.page.rows import ask

__all__ = ["Dataset", "Flow", "FlowCounts", "datasets_of"]


@dataclass(frozen=True)
class Dataset:
    """A dataset as it is declared last. kind: None for an undeclared one."""

    name: str
    kind: str | None
    party: str | None
    recipient: str | None

    @property
    def mark(self) -> str:
        """Return what it is marked as: third, ai, undeclared, or empty for others."""
        if self.kind is None:
            return "undeclared"
        if self.party == "THIRD":
            return "third"
        return "ai" if self.kind in ("TRAINING_CORPUS", "MODEL") else ""

    @property
    def said(self) -> str:
        """Return the mark in words."""
        if self.mark == "third":
            return f"third party{f' {self.recipient}' if self.recipient else ''}"
        words = {"ai": "AI model" if self.kind == "MODEL" else "AI corpus"}
        return words.get(self.mark, "undeclared" if self.kind is None else self.kind.lower())


@dataclass(frozen=True)
class Flow:
    """How many hops went from one dataset to another."""

    source: str
    target: str
    hops: int


class FlowCounts:
    """Flows between datasets, counted once: what came since is added.

    Hops that took older keys, or were replaced by other versions, are noticed by their number, and
    by that of the conflicts; then all are counted again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[tuple[int, int]] = Counter()
        self._last = -1
        self._conflicts = 0

    def flows(self, reader: Reader) -> list[Flow]:
        """Return the flows, the largest first."""
        with self._lock:
            (state,) = ask(reader, "overview/flow_state").rows
            if state["conflicts"] != self._conflicts:
                self._forget(state["conflicts"])
            self._add(reader)
            if self._counts.total() < state["hops"]:
                self._forget(state["conflicts"])
                self._add(reader)
            counts = dict(self._counts)
        names = {row["id"]: row["text"] for row in ask(reader, "overview/dataset_names")}
        flows = [Flow(names[s], names[t], n) for (s, t), n in counts.items()]
        return sorted(flows, key=lambda flow: (-flow.hops, flow.source, flow.target))

    def _add(self, reader: Reader) -> None:
        for row in ask(reader, "overview/flows", last=self._last):
            self._counts[row["source"], row["target"]] += row["hops"]
            self._last = max(self._last, row["last"])

    def _forget(self, conflicts: int) -> None:
        self._counts.clear()
        self._last, self._conflicts = -1, conflicts


def datasets_of(reader: Reader) -> dict[str, Dataset]:
    """Return all datasets that any event names, by their names."""
    found = ask(reader, "overview/datasets")
    return {row["name"]: Dataset(**row) for row in found}
