"""Defines the errors of measuring.

BenchmarkError
├── UsageError            an option that makes no sense
├── MissingError          a package or program that a part needs is not there: the part is left out
├── CommandFailedError    a measured command ended with an error
└── WrongResultError      a measured command came to a wrong result: its figures are none
"""

from __future__ import annotations

__all__ = [
    "BenchmarkError",
    "CommandFailedError",
    "MissingError",
    "UsageError",
    "WrongResultError",
]


class BenchmarkError(Exception):
    """Anything that ends a part without figures."""


class UsageError(BenchmarkError):
    """An option that makes no sense."""


class MissingError(BenchmarkError):
    """A package or program that a part needs is not there."""


class CommandFailedError(BenchmarkError):
    """A measured command ended with an error."""


class WrongResultError(BenchmarkError):
    """A measured command came to a wrong result."""
