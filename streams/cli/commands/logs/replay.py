"""`replay`: records event logs in a database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.output.progress import progress
from streams.cli.output.stdout import write_json, write_rows
from streams.cli.process_limits import return_large_arrays

if TYPE_CHECKING:
    from lineage import Store


@click.command()
@options.event_logs
@options.database
@click.option(
    "--batch-events", type=click.IntRange(min=1), default=200_000, show_default=True, metavar="N",
    help="Events in one transaction. More is faster and takes more memory.",
)  # fmt: skip
@options.memory
@options.fail_on_flag
@options.fail_on_dead_letter
@options.as_json
def replay(
    paths: tuple[Path, ...],
    db: Path,
    batch_events: int,
    memory: int,
    fail_on_flag: bool,
    fail_on_dead_letter: bool,
    as_json: bool,
) -> None:
    """Record event logs in a database, which is made if there is none.

    PATH is a file (.jsonl or .ndjson, also packed as .gz or .zst or rotated; .avro) or a folder of
    them. What is recorded twice counts once. The flags told, and meant by --fail-on-flag, are those
    of the database afterwards. The events before and after tell where a replay that was cut off
    stands: given the same log again, it completes the database.

    Inputs of hops in which no message was at the hop's instant are counted, since nothing went on
    from them: those seen later, spelled like another record, never seen, and those of datasets in
    which no message ever was. The view unmatched_input has each.
    """
    import lineage
    from lineage import codec

    return_large_arrays()
    size = sum(file.bytes for file in codec.log_files(paths))
    began = time.perf_counter()
    with lineage.open(db, memory_mib=memory) as store, progress("replay", size, "bytes") as advance:
        if store.unfinished is not None:
            click.echo(store.unfinished, err=True)
        before = store.events()
        done = store.replay(
            *paths, batch_events=batch_events, progress=advance, at=options.instant_now()
        )
        seconds = time.perf_counter() - began
        standing = _standing(store)
        unmatched = store.unmatched_inputs()
        after = store.events()
    total = sum(count for _, _, count in standing)
    summary: dict[str, object] = {
        **vars(done),
        "events_before": before,
        "events_after": after,
        "flags": total,
        **{f"inputs_{reason}": count for reason, count in vars(unmatched).items()},
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
    if done.dead_letters:
        click.echo(
            f"{done.dead_letters:,} dead letters: not everything could be read, and a leak in it "
            "would not be flagged; the table dead_letter says what was wrong",
            err=True,
        )
    if (fail_on_flag and total) or (fail_on_dead_letter and done.dead_letters):
        raise click.exceptions.Exit(1)


def _standing(store: Store) -> list[tuple[str, str, int]]:
    query = "SELECT rule, dataset, count(*) FROM flag GROUP BY rule, dataset ORDER BY rule, dataset"
    return store.sql(query).fetchall()
