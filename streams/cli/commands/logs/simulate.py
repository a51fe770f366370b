"""`simulate`: writes an event log with planted leaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click

from streams.cli import options
from streams.cli.output.progress import progress
from streams.cli.output.stdout import write_json, write_rows


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
    from streams.simulate import simulate as write_log

    with progress("simulate", messages, "messages") as advance:
        made = write_log(
            messages, seed, out, format=format_, graph=graph, mix=mix, progress=_increments(advance)
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


def _increments(advance: Callable[[int], None]) -> Callable[[int], None]:
    done = 0

    def report(count: int) -> None:
        nonlocal done
        advance(count - done)
        done = count

    return report
