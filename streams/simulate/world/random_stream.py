"""Makes chance that can be repeated: the n-th draw of a stream is a pure function of seed and n.

A column of draws and a single draw come from the same function, splitmix64 (Steele, Lea, Flood:
"Fast splittable pseudorandom number generators", OOPSLA 2014), so that any stretch of a log can
be made without the stretches before it, and the same seed gives the same bytes everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import polars as pl

T = TypeVar("T")

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_MASK = 2**64 - 1


def stream_key(seed: int, *labels: object) -> int:
    """Return the key of a random stream, from the seed and what the stream is for."""
    text = "\x1f".join(map(str, (seed, *labels))).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def _u64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


def random_bits(key: int, index: pl.Expr) -> pl.Expr:
    """Return 64 random bits (UInt64) for each index of the stream `key`."""
    # Division by a power of two is the shift that polars does not have.
    z = index.cast(pl.UInt64) * _u64(_GOLDEN) + _u64(key)
    z = (z ^ (z // _u64(2**30))) * _u64(_FIRST)
    z = (z ^ (z // _u64(2**27))) * _u64(_SECOND)
    return z ^ (z // _u64(2**31))


def unit(key: int, index: pl.Expr) -> pl.Expr:
    """Return a number in [0, 1) (Float64) for each index."""
    return (random_bits(key, index) // _u64(2**11)).cast(pl.Float64) * 2.0**-53


def below(key: int, index: pl.Expr, limit: int | pl.Expr) -> pl.Expr:
    """Return a whole number (Int64) from 0 to limit - 1 for each index."""
    top = _u64(limit) if isinstance(limit, int) else limit.cast(pl.UInt64)
    return (random_bits(key, index) % top).cast(pl.Int64)


def chance(key: int, index: pl.Expr, one_in: int) -> pl.Expr:
    """Return true for one index in `one_in`."""
    return random_bits(key, index) % _u64(one_in) == _u64(0)


class RandomStream:
    """One draw after another of the stream `key`, for what is not done by the column."""

    def __init__(self, key: int) -> None:
        self._key = key
        self._index = 0

    def bits(self) -> int:
        """Return 64 random bits."""
        z = (self._index * _GOLDEN + self._key) & _MASK
        self._index += 1
        z = ((z ^ (z >> 30)) * _FIRST) & _MASK
        z = ((z ^ (z >> 27)) * _SECOND) & _MASK
        return z ^ (z >> 31)

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to limit - 1."""
        return self.bits() % limit

    def pick(self, values: Sequence[T]) -> T:
        """Pick one of the values."""
        return values[self.below(len(values))]
