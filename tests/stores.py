"""New stores for tests, copies of one: to make a database takes three times as long."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import lineage
from lineage.limits import DEFAULT_LIMITS, Limits

# In memory where there is such a place: a commit waits for no disk.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 -- only folders of names of their own are made there
_FOLDERS = _IN_MEMORY if _IN_MEMORY.is_dir() else None


@lru_cache(maxsize=1)
def _empty() -> bytes:
    """The file of a database that holds nothing."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lineage.duckdb"
        lineage.open(path).close()
        return path.read_bytes()


@contextmanager
def new_database() -> Iterator[Path]:
    """An empty database. Its path is its own: a deleted one that comes again gives the old one."""
    with TemporaryDirectory(prefix="lineage-", dir=_FOLDERS) as folder:
        path = Path(folder) / "lineage.duckdb"
        path.write_bytes(_empty())
        yield path


@contextmanager
def new_store(limits: Limits = DEFAULT_LIMITS) -> Iterator[lineage.Store]:
    """An empty store."""
    with new_database() as path, lineage.open(path, limits=limits) as store:
        yield store
