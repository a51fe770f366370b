"""External sort of hashes: in bounded memory, with files where there are many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt

HASH_BYTES: Final = 32
_BUCKETS: Final = 256  # by the first byte, which is uniformly distributed

_Hashes = npt.NDArray[np.bytes_]


class HashSort:
    """Sorts hashes of 32 bytes, added in any order. A context manager.

    held_max: bytes of hashes in memory; more of them are in files without a name, so that the files
    end with the process. folder: of these files; None: the folder of temporary files.
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
        """Add hashes, one after another."""
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
        """Write the hashes in memory to a file, bucket by bucket."""
        held = _array(b"".join(self._held))
        first = held.view(np.uint8)[::HASH_BYTES]
        file = tempfile.TemporaryFile(dir=self._folder, prefix="lineage-digest-")  # noqa: SIM115 -- closed in __exit__
        file.write(held[np.argsort(first, kind="stable")].tobytes())
        ends = np.cumsum(np.bincount(first, minlength=_BUCKETS)) * HASH_BYTES
        self._files.append((file, ends.tolist()))
        self._held, self._held_bytes = [], 0


def _array(hashes: bytes) -> _Hashes:
    # Compared as bytes; numpy hides zeros at the end of a text, but not from tobytes().
    return np.frombuffer(hashes, f"S{HASH_BYTES}")


def _piece(file: IO[bytes], ends: list[int], bucket: int) -> bytes:
    start = ends[bucket - 1] if bucket else 0
    file.seek(start)
    return file.read(ends[bucket] - start)
