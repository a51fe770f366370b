"""`worker`, `publish` and `broker`: the live side."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from streams.cli import options
from streams.cli.output import write_json, write_rows
from streams.cli.progress import progress


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


@click.command()
@options.event_logs
@options.bootstrap
@click.option(
    "--partitions", type=click.IntRange(min=1), metavar="N",
    help="Of topics that are not there yet.",
)  # fmt: skip
@options.registry_url
@options.as_json
def publish(
    paths: tuple[Path, ...],
    bootstrap: str,
    partitions: int | None,
    registry_url: str | None,
    as_json: bool,
) -> None:
    """Send event logs to Kafka; topics that are not there yet are created.

    What breaks the contract goes to the dead-letter topic. What is sent twice counts once. The
    worker needs the same registry, if any, in which the events' schemas are registered here.
    """
    from streams.kafka import publish as publishing

    with progress("publish", None, "events") as further:
        done = publishing.publish(paths, bootstrap, partitions, further, registry_url)
    if as_json:
        write_json({"events": dict(done.events), "dead_letters": done.dead_letters})
    else:
        rows = [*sorted(done.events.items()), ("dead letters", done.dead_letters)]
        write_rows(("topic", "events"), rows, "text")
    for note in done.notes:
        click.echo(note, err=True)


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where its data is kept between starts; by default in the user's cache folder.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(min=0, max=65535), default=0, metavar="PORT",
    help="The port on 127.0.0.1; by default any free one.",
)  # fmt: skip
def broker(folder: Path | None, port: int) -> None:
    """Run a local single-node Apache Kafka until SIGINT or SIGTERM.

    Writes HOST:PORT to stdout once it is ready. Needs Java 17 and, the first time, Maven, which
    fetches Kafka.
    """
    from streams.broker import cache_folder, run_broker

    run_broker(folder or cache_folder() / "broker", port, on_ready=_tell)


def _tell(bootstrap: str) -> None:
    click.echo(bootstrap)
    sys.stdout.flush()
