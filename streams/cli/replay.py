"""`simulate` and `replay`: making an event log, and recording one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from streams.cli import options
from streams.cli.output import write_json, write_rows
from streams.cli.progress import progress

if TYPE_CHECKING:
    from lineage import Store


@click.command()
@click.option(
    "--messages", type=click.IntRange(min=1), default=10_000, show_default=True, metavar="N",
    help="How many messages, the planted ones included.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="S",
    help="The same seed gives the same log, byte for byte.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
    help="A folder that is empty or not there yet.",
)  # fmt: skip
@click.option(
    "--format", "format_", type=click.Choice(["jsonl", "avro"]), default="jsonl", show_default=True,
    help="Lines of JSON, or Avro object container files.",
)  # fmt: skip
@click.option(
    "--graph", type=click.Path(path_type=Path), metavar="FILE",
    help="Take who wrote to whom from this list: sender recipient [weight] unix-seconds, a line.",
)  # fmt: skip
@click.option(
    "--mix", type=click.Choice(["own", "worst"]), default="own", show_default=True,
    help="A company's own flow, or three hops of one record for each message.",
)  # fmt: skip
@options.as_json
def simulate(
    messages: int,
    seed: int,
    out: Path,
    format_: Literal["jsonl", "avro"],
    graph: Path | None,
    mix: Literal["own", "worst"],
    as_json: bool,
) -> None:
    """Write an event log with planted leaks into a folder.

    Beside it goes expected-flags.jsonl, known from how the leaks were planted and not from the
    tracer: `lineage check` compares the two.
    """
    from streams import simulate as simulating

    with progress("simulate", messages, "messages") as further:
        made = simulating.simulate(
            messages, seed, out, format=format_, graph=graph, mix=mix, progress=_increments(further)
        )
    if as_json:
        write_json(vars(made))
        return
    rows: list[tuple[str, object]] = [
        ("messages", made.messages),
        *((f"events {name}", count) for name, count in sorted(made.events.items())),
        *((f"leaks {name}", count) for name, count in sorted(made.leaks.items())),
        *((f"near misses {name}", count) for name, count in sorted(made.near_misses.items())),
        ("arrivals", made.arrivals),
        ("expected flags", made.flags),
        *(("log", path) for path in made.paths),
        ("expected", made.expected),
    ]
    write_rows(("what", "value"), rows, "text")


def _increments(further: Callable[[int], None]) -> Callable[[int], None]:
    done = 0

    def so_far(count: int) -> None:
        nonlocal done
        further(count - done)
        done = count

    return so_far


@click.command()
@options.event_logs
@options.database
@click.option(
    "--batch-events", type=click.IntRange(min=1), default=200_000, show_default=True, metavar="N",
    help="Events in one transaction. More is faster and takes more memory.",
)  # fmt: skip
@options.memory
@options.fail_on_flag
@options.as_json
def replay(
    paths: tuple[Path, ...],
    db: Path,
    batch_events: int,
    memory: int,
    fail_on_flag: bool,
    as_json: bool,
) -> None:
    """Record event logs in a database, which is made if there is none.

    PATH is a file (.jsonl, .jsonl.gz, .avro) or a folder of them. What is recorded twice counts
    once. The flags told, and meant by --fail-on-flag, are those of the database afterwards.
    """
    import lineage
    from lineage import codec

    size = sum(file.bytes for file in codec.log_files(paths))
    began = time.perf_counter()
    with lineage.open(db, memory_mib=memory) as store, progress("replay", size, "bytes") as further:
        done = store.replay(
            *paths, batch_events=batch_events, progress=further, at=options.instant_now()
        )
        seconds = time.perf_counter() - began
        standing = _standing(store)
    total = sum(count for _, _, count in standing)
    summary: dict[str, object] = {
        **vars(done),
        "flags": total,
        "seconds": round(seconds, 3),
        "events_per_second": round(done.events / seconds) if seconds else None,
    }
    if as_json:
        by = [dict(zip(("rule", "dataset", "flags"), row, strict=True)) for row in standing]
        write_json({**summary, "flags_by_rule_and_dataset": by})
    else:
        write_rows(
            ("what", "value"), [(k.replace("_", " "), v) for k, v in summary.items()], "text"
        )
        if standing:
            click.echo()
            write_rows(("rule", "dataset", "flags"), standing, "text")
    if fail_on_flag and total:
        raise click.exceptions.Exit(1)


def _standing(store: Store) -> list[tuple[str, str, int]]:
    query = "SELECT rule, dataset, count(*) FROM flag GROUP BY rule, dataset ORDER BY rule, dataset"
    return store.sql(query).fetchall()
