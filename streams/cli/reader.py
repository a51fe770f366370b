"""Opens the database that a question is asked to: its file, or the worker that writes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage import Store
    from lineage.remote.client import RemoteStore


@contextmanager
def reader_of(db: Path, memory_mib: int | None = None) -> Iterator[Store | RemoteStore]:
    """Open a database to ask it; through the worker that holds it, where that serves it.

    memory_mib: of a file that is opened here. Raises what `lineage.open` raises: StoreBusyError
    where the process that holds it serves it not.
    """
    import lineage

    try:
        if memory_mib is None:
            store = lineage.open(db, read_only=True)
        else:
            store = lineage.open(db, read_only=True, memory_mib=memory_mib)
    except lineage.StoreBusyError:
        served = served_store(db)
        if served is None:
            raise
        yield served
        return
    with store:
        _forget_stale(db)
        yield store


def served_store(db: Path) -> RemoteStore | None:
    """Return the store as its worker serves it, or None: then what tells of an ended one is gone.

    Raises StoreUnreachableError where a worker is there and does not answer.
    """
    import lineage
    from streams.serve.address_file import announced, forget

    where = announced(db)
    if where is None:
        return None
    if where.is_gone():
        forget(db)
        return None
    remote = lineage.connect(where.url, where.token)
    # Asked without the token: another program may listen there by now.
    if remote.health().get("instance") != where.instance:
        forget(db)
        return None
    return remote


def _forget_stale(db: Path) -> None:
    """Remove what tells of a worker: nobody writes a database that is open to be read."""
    from streams.serve.address_file import announced, forget

    where = announced(db)
    if where is not None and where.is_gone():
        forget(db)
