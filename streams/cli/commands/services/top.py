"""`top`: shows what a worker does, live."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.output.stdout import console, write_json

if TYPE_CHECKING:
    from rich.console import RenderableType

Samples = Mapping[str, list[tuple[Mapping[str, str], float]]]


@click.command()
@options.database
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=2.0, show_default=True,
    metavar="SECONDS", help="Between two looks, over which rates are taken.",
)  # fmt: skip
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after so many looks.")
def top(db: Path, interval: float, count: int | None) -> None:
    """Show throughput, lag, flags and dead letters of a running worker, until SIGINT.

    Piped, each look is an object of JSON.
    """
    from rich.live import Live

    from streams.cli.live import scrape

    on_terminal = sys.stdout.isatty()
    before, before_at, looks = scrape(db), time.monotonic(), 0
    shown = Live(console=console(), auto_refresh=False) if on_terminal else nullcontext()
    with shown as live:
        while count is None or looks < count:
            time.sleep(interval)
            now, now_at = scrape(db), time.monotonic()
            view = view_of(before, now, now_at - before_at)
            if isinstance(live, Live):
                live.update(panel_of(view), refresh=True)
            else:
                write_json(view.told())
                sys.stdout.flush()
            before, before_at, looks = now, now_at, looks + 1


@dataclass(frozen=True)
class View:
    """One look at a worker: rates by second, sums, and the largest by label."""

    events_per_second: float
    records_per_second: float
    bytes_per_second: float
    commit_seconds: float | None
    lag_records: int
    lag_seconds: float
    queue_records: int
    ready: bool
    memory_bytes: int
    database_bytes: int
    flags_open: Mapping[str, int]
    flags_raised: int
    flags_cleared: int
    dead_letters: Mapping[str, int]

    def told(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return dict(vars(self))


def view_of(before: Samples, now: Samples, seconds: float) -> View:
    """Return the look that two scrapes, so many seconds apart, come to."""

    def rate(name: str) -> float:
        return round(max(0.0, total(now, name) - total(before, name)) / seconds, 1)

    commit = "lineage_commit_duration_seconds"
    commits = total(now, f"{commit}_count") - total(before, f"{commit}_count")
    spent = total(now, f"{commit}_sum") - total(before, f"{commit}_sum")
    lags = [value for _, value in now.get("lineage_consumer_lag_seconds", [])]
    return View(
        events_per_second=rate("lineage_events_total"),
        records_per_second=rate("lineage_records_total"),
        bytes_per_second=rate("lineage_record_bytes_total"),
        commit_seconds=round(spent / commits, 4) if commits > 0 else None,
        lag_records=int(total(now, "lineage_consumer_lag_records")),
        lag_seconds=round(max(lags, default=0.0), 1),
        queue_records=int(total(now, "lineage_queue_records")),
        ready=total(now, "lineage_ready") == 1,
        memory_bytes=int(total(now, "process_resident_memory_bytes")),
        database_bytes=int(total(now, "lineage_database_size_bytes")),
        flags_open=by_label(now, "lineage_flags_open", "rule"),
        flags_raised=int(total(now, "lineage_flag_changes_total", status="raised")),
        flags_cleared=int(total(now, "lineage_flag_changes_total", status="cleared")),
        dead_letters=by_label(now, "lineage_dead_letters_total", "reason"),
    )


def total(samples: Samples, name: str, **wanted: str) -> float:
    """Return the sum of a series over those of its labels that are as wanted."""
    return sum(
        value
        for labels, value in samples.get(name, [])
        if all(labels.get(label) == text for label, text in wanted.items())
    )


def by_label(samples: Samples, name: str, label: str) -> dict[str, int]:
    """Return the sums of a series by one label, the largest first."""
    sums: dict[str, int] = {}
    for labels, value in samples.get(name, []):
        sums[labels[label]] = sums.get(labels[label], 0) + int(value)
    return dict(sorted(sums.items(), key=lambda pair: -pair[1]))


def panel_of(view: View) -> RenderableType:
    """Return a look as a table for people."""
    from rich.filesize import decimal
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    commit = "none" if view.commit_seconds is None else f"{view.commit_seconds * 1000:,.0f} ms"
    rows = [
        ("events", f"{view.events_per_second:,.0f}/s, {decimal(int(view.bytes_per_second))}/s"),
        ("transaction", commit),
        ("behind", f"{view.lag_records:,} records, {view.lag_seconds:,.0f} s"),
        ("queue", f"{view.queue_records:,} records"),
        ("state", "ready" if view.ready else "not ready"),
        ("memory", decimal(view.memory_bytes)),
        ("database", decimal(view.database_bytes)),
        ("flags", f"{view.flags_raised:,} raised, {view.flags_cleared:,} cleared since the start"),
        *((f"  {rule}", f"{count:,} open") for rule, count in [*view.flags_open.items()][:10]),
        ("dead letters", f"{sum(view.dead_letters.values()):,}"),
        *((f"  {reason}", f"{count:,}") for reason, count in [*view.dead_letters.items()][:5]),
    ]
    for name, value in rows:
        table.add_row(Text(name, "bold"), Text(value))
    return table
