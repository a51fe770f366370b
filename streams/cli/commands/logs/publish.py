"""`publish`: sends event logs to Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.output.progress import progress
from streams.cli.output.stdout import write_json, write_rows

if TYPE_CHECKING:
    from streams.kafka.connection import KafkaConnection
    from streams.kafka.registry.rest import Address


@click.command()
@options.event_logs
@options.kafka
@click.option(
    "--partitions", type=click.IntRange(min=1), metavar="N",
    help="Of topics that are not there yet.",
)  # fmt: skip
@options.replication_factor
@options.as_json
def publish(
    paths: tuple[Path, ...],
    kafka: KafkaConnection,
    registry: Address | None,
    partitions: int | None,
    replication_factor: int | None,
    as_json: bool,
) -> None:
    """Send event logs to Kafka; topics that are not there yet are created.

    What breaks the contract goes to the dead-letter topic. What is sent twice counts once. The
    worker needs the same registry, if any, in which the events' schemas are registered here.
    """
    from streams.kafka.publish import publish as send_logs

    with progress("publish", None, "events") as advance:
        done = send_logs(paths, kafka, partitions, advance, registry, replication_factor)
    if as_json:
        write_json({"events": dict(done.events), "dead_letters": done.dead_letters})
    else:
        rows = [*sorted(done.events.items()), ("dead letters", done.dead_letters)]
        write_rows(("topic", "events"), rows, "text")
    for note in done.notes:
        click.echo(note, err=True)
