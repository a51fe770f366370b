"""Bounds a process: the memory of one that records, the memory and the end of one that answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from streams.cli.errors import Failure

_DATA_BYTES_MAX = 4 * 2**30
"""Beyond the memory of a database that is only read: what is left to its functions and answers."""


_MMAP_THRESHOLD = -3
"""The name of the setting in glibc's malloc.h."""
_APART_BYTES_MIN = 4 * 2**20


def return_large_arrays() -> None:
    """Have arrays of some MiB returned to the system as soon as they are let go of.

    glibc raises that size to 32 MiB by itself, and what it keeps instead lies between what a
    database holds: hundreds of MiB after large batches. Other allocators are left as they are.
    """
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _APART_BYTES_MIN)


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let the system refuse this process so much more memory than it has.

    DuckDB does not count all that its functions take. Refused, it ends the question with an error.
    """
    if sys.platform == "win32":
        yield
        return
    import resource

    from lineage.database.process import data_bytes

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    # More than there is already: a process that cannot even start a thread would wait for it.
    bound = _DATA_BYTES_MAX + (data_bytes() or 0)
    if soft != resource.RLIM_INFINITY:
        bound = min(soft, bound)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def end_now(error: Exception) -> NoReturn:
    """End the process, which a query that goes on would keep from ending by itself."""
    from lineage.database.storage.spill import remove_all

    failure = Failure(str(error))
    failure.show()
    sys.stdout.flush()
    sys.stderr.flush()
    remove_all()
    os._exit(failure.exit_code)
