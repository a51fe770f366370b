"""Looks at a live worker: the changes of flags as they come, and its metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lineage import Store
    from lineage.remote.client import RemoteStore

__all__ = ["COLUMNS", "changes", "scrape"]

COLUMNS: Final = (
    "seq", "recorded_at", "status", "severity", "rule", "message_id", "dataset", "policy_id",
    "first_at", "last_at", "arrivals", "first_hop",
)  # fmt: skip
_CHANGES: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM flag_history WHERE seq > $seq ORDER BY seq LIMIT 10000"  # noqa: S608 -- names of ours
)
_LAST: Final = "SELECT coalesce(max(seq), 0) FROM flag_history"
_SCRAPE_SECONDS: Final = 10.0
_CHANGES_MAX: Final = 10_000


def changes(db: Path, from_beginning: bool, seconds: float) -> Iterator[list[Mapping[str, object]]]:
    """Yield the changes of flags as they come, for ever; an empty list where there are none.

    The database is asked every so many seconds: through the worker that writes it, else, where
    nobody holds it, in its file, which is opened only when it has changed. Raises what
    `lineage.open` raises the first time; later, a worker that ends is waited for.
    """
    import lineage

    seq = 0 if from_beginning else None
    seen: object = None
    first = True
    while True:
        found: list[Mapping[str, object]] = []
        now = _state(db)
        if now != seen or first:
            try:
                seq, found = _since(db, seq)
                seen = None if _is_served(db) else now
            except (lineage.StoreBusyError, lineage.StoreUnreachableError):
                if first:
                    raise
        first = False
        yield found
        if len(found) < _CHANGES_MAX:
            time.sleep(seconds)


def _since(db: Path, seq: int | None) -> tuple[int, list[Mapping[str, object]]]:
    from streams.cli.reader import reader_of

    with reader_of(db) as store:
        if seq is None:
            return _last(store), []
        rows = store.sql(_CHANGES, {"seq": seq}).fetchall()
    found: list[Mapping[str, object]] = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return (int(rows[-1][0]) if rows else seq), found


def _last(store: Store | RemoteStore) -> int:
    ((last,),) = store.sql(_LAST).fetchall()
    return int(last)


def _is_served(db: Path) -> bool:
    from streams.serve.address_file import announced

    return announced(db) is not None


def _state(db: Path) -> object:
    """Return what tells that a file was changed; of a served database something else each time."""
    if _is_served(db):
        return object()
    found = []
    for path in (db, db.with_name(db.name + ".wal")):
        with suppress(OSError):
            told = path.stat()
            found.append((told.st_mtime_ns, told.st_size))
    return found


def scrape(db: Path) -> dict[str, list[tuple[Mapping[str, str], float]]]:
    """Return the metrics of the worker that writes a database: by name, labels and values.

    Raises WorkerError where none serves it.
    """
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    from prometheus_client.parser import text_string_to_metric_families

    from streams.errors import WorkerError
    from streams.serve.address_file import announced

    where = announced(db)
    if where is None or where.is_gone():
        raise WorkerError(
            f"no worker that answers questions writes {db}; start one with `lineage worker --db`, "
            "without --no-serve"
        )
    request = Request(f"{where.url}/metrics", headers={"Authorization": f"Bearer {where.token}"})  # noqa: S310 -- http, by its own file
    try:
        with urlopen(request, timeout=_SCRAPE_SECONDS) as answer:  # noqa: S310 -- as above
            text = answer.read().decode()
    except (URLError, OSError) as error:
        raise WorkerError(f"the worker at {where.url} does not tell its metrics: {error}") from None
    found: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found
