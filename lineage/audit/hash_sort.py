"""Sorts hashes in bounded memory, by way of files where they are many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt

HASH_BYTES: Final = 32
_BUCKETS: Final = 256  # by the first byte, of which a hash has any as often

_Hashes = npt.NDArray[np.bytes_]


class HashSort:
    """Sorts hashes of 32 bytes that are given in any order. A context manager.

    held_max: so many bytes of them are held; what is more lies in files that have no name, so that
    they end with the process. folder: where these are; None: where temporary files are.
    """

    def __init__(self, folder: Path | None, held_max: int) -> None:
        self._folder = folder
        self._held_max = held_max
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._files: list[tuple[IO[bytes], list[int]]] = []

    def __enter__(self) -> HashSort:
        return self

    def __exit__(self, *_: object) -> None:
        for file, _ends in self._files:
            file.close()

    def add(self, hashes: bytes) -> None:
        """Add hashes, one behind the other."""
        self._held.append(hashes)
        self._held_bytes += len(hashes)
        if self._held_bytes >= self._held_max:
            self._put_away()

    def sorted(self) -> Iterator[bytes]:
        """Yield all hashes in the order of their bytes, many at a time."""
        if not self._files:
            yield np.sort(_array(b"".join(self._held))).tobytes()
            return
        self._put_away()
        for bucket in range(_BUCKETS):
            pieces = [_piece(file, ends, bucket) for file, ends in self._files]
            yield np.sort(_array(b"".join(pieces))).tobytes()

    def _put_away(self) -> None:
        """Write what is held to a file, bucket by bucket."""
        held = _array(b"".join(self._held))
        first = held.view(np.uint8)[::HASH_BYTES]
        file = tempfile.TemporaryFile(dir=self._folder, prefix="lineage-digest-")  # noqa: SIM115 -- closed in __exit__
        file.write(held[np.argsort(first, kind="stable")].tobytes())
        ends = np.cumsum(np.bincount(first, minlength=_BUCKETS)) * HASH_BYTES
        self._files.append((file, ends.tolist()))
        self._held, self._held_bytes = [], 0


def _array(hashes: bytes) -> _Hashes:
    # Compared as bytes; that numpy hides zeros at the end of a text does not matter to tobytes().
    return np.frombuffer(hashes, f"S{HASH_BYTES}")


def _piece(file: IO[bytes], ends: list[int], bucket: int) -> bytes:
    start = ends[bucket - 1] if bucket else 0
    file.seek(start)
    return file.read(ends[bucket] - start)
