"""Shows the progress of a command, on stderr and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal


@contextmanager
def progress(
    what: str, total: int | None, unit: Literal["bytes", "events", "messages", "dead letters"]
) -> Iterator[Callable[[int], None]]:
    """Yield a function to be called with the number of further units that are done."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich import progress as bar
    from rich.console import Console

    count = bar.DownloadColumn() if unit == "bytes" else bar.MofNCompleteColumn()
    columns = (bar.TextColumn("{task.description}"), bar.BarColumn(), count)
    with bar.Progress(
        *columns, bar.TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.advance(task, done)
