"""`broker`: runs a local Kafka, until it is stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import click


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
