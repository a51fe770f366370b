"""Bounds what is served: limits in one place, passed down from the settings."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SERVE_LIMITS", "ServeLimits"]


@dataclass(frozen=True)
class ServeLimits:
    """Bounds of questions over HTTP; the unit is in each name."""

    # Questions
    questions_max: int = 4
    """At work at once: each takes a processor, and memory of the database."""
    place_seconds_max: float = 2.0
    """Another question waits so long for its place, and is then told to come again."""
    retry_seconds: int = 1
    """After so long it is told to come again."""
    question_seconds: float = 30.0
    """Of work on a question that names no limit of its own."""
    question_seconds_max: float = 3600.0
    """The longest limit that a question may name."""
    look_seconds: float = 0.05
    """Between two looks at whether a question has to be ended."""
    interrupted_seconds_max: float = 5.0
    """A question that does not react to an interrupt for so long is given up on: its place stays
    taken until it ends."""

    # Answers
    rows: int = 10_000
    """Of an answer to a question that names no limit of its own."""
    rows_max: int = 100_000
    """The largest limit that a question may name; without a limit an answer is sent as it comes."""
    answer_bytes_max: int = 32 * 1024 * 1024
    """Of an answer that is sent as a whole, in Arrow's layout; a larger one is cut."""
    stalled_seconds_max: float = 30.0
    """A client that takes nothing of its answer for so long is let go."""
    sending_seconds_max: float = 3600.0
    """A client that takes longer over an answer, a little at a time, is let go."""

    # Connections
    connections_max: int = 128
    """More are closed at once: the worker needs files for its work."""
    request_bytes_max: int = 1024 * 1024
    """Of a request's body."""
    head_bytes_max: int = 64 * 1024
    """Of a request's line and headers, so of a question in the address."""
    idle_seconds_max: float = 10.0
    """For a request to come whole, and between two of one connection."""

    # Ends
    freed_seconds_max: float = 10.0
    """For questions to end where a transaction needs their memory."""
    stop_seconds_max: float = 2.0
    """For the server to stop."""


SERVE_LIMITS = ServeLimits()
