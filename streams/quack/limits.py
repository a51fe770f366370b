"""Bounds what DuckDB's clients are answered, beside the limits of all questions."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QUACK_LIMITS", "QuackLimits"]


@dataclass(frozen=True)
class QuackLimits:
    """Bounds of connections and answers; the unit is in each name."""

    part_bytes: int = 1024 * 1024
    """A part of an answer is sent once it has so many; the next one is made meanwhile."""
    connections_max: int = 128
    """Of clients that have attached: of one more, the one that asked least recently is let go."""
    answers_max: int = 32
    """Of one connection: of one more, the oldest is let go."""


QUACK_LIMITS = QuackLimits()
