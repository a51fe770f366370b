"""`worker`: records the topics, until it is stopped."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options


@click.command()
@options.database
@options.bootstrap
@click.option("--once", is_flag=True, help="End when all that was there at the start is recorded.")
@click.option(
    "--group", default="lineage", show_default=True, envvar="LINEAGE_GROUP", show_envvar=True,
    metavar="NAME", help="The consumer group. Each database needs its own.",
)  # fmt: skip
@options.registry_url
@options.memory
def worker(
    db: Path, bootstrap: str, once: bool, group: str, registry_url: str | None, memory: int
) -> None:
    """Record what is in the topics, and what comes, until SIGINT or SIGTERM."""
    from streams.worker.logs import log_to_stderr
    from streams.worker.run import run_worker

    log_to_stderr()
    run_worker(db, bootstrap, once=once, registry_url=registry_url, group=group, memory_mib=memory)
