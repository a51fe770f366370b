"""`worker`: records the topics, until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.output.stdout import write_json, write_rows
from streams.cli.process_limits import return_large_arrays
from streams.serve.settings import ANY_PORT

if TYPE_CHECKING:
    from streams.kafka.connection import KafkaConnection
    from streams.kafka.registry.rest import Address
    from streams.worker.reports.logs import LogForm


@click.command()
@options.database
@options.kafka
@click.option("--once", is_flag=True, help="End when all that was there at the start is recorded.")
@click.option(
    "--group", default="lineage", show_default=True, envvar="LINEAGE_GROUP", show_envvar=True,
    metavar="NAME", help="The consumer group. Each database needs its own.",
)  # fmt: skip
@options.replication_factor
@click.option(
    "--serve", "address", default=ANY_PORT, show_default=True, envvar="LINEAGE_SERVE",
    show_envvar=True, metavar="HOST:PORT",
    help="Answer questions there meanwhile; port 0 is any free one. Other machines need a token "
    "file.",
)  # fmt: skip
@click.option("--no-serve", is_flag=True, help="Answer no questions.")
@click.option(
    "--console", is_flag=True, envvar="LINEAGE_CONSOLE", show_envvar=True,
    help="Show pages for a browser there, too.",
)  # fmt: skip
@options.quack
@options.token_file
@click.option(
    "--alerts", type=click.Path(path_type=Path, dir_okay=False), envvar="LINEAGE_ALERTS",
    show_envvar=True, metavar="FILE",
    help="Tell Alertmanager and webhooks of flags: a YAML file says whom (docs/alerts.md).",
)  # fmt: skip
@options.memory
@click.option(
    "--log", "log_form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    envvar="LINEAGE_LOG", show_envvar=True, help="The lines on stderr: text, or JSON with counts.",
)  # fmt: skip
@options.as_json
def worker(
    db: Path,
    kafka: KafkaConnection,
    registry: Address | None,
    once: bool,
    group: str,
    replication_factor: int | None,
    address: str,
    no_serve: bool,
    console: bool,
    quack: bool,
    token_file: Path | None,
    alerts: Path | None,
    memory: int,
    log_form: LogForm,
    as_json: bool,
) -> None:
    """Record what is in the topics, and what comes, until SIGINT or SIGTERM.

    A broker that goes away while it runs is waited for; at the start it has to be there.
    The log on stderr tells once a minute what was recorded, and how many records are behind. At the
    end, what was recorded in all is written to stdout. Meanwhile the commands that ask the database
    go through the worker by themselves: a file beside it tells them where.
    """
    from streams.alerts.settings import AlertSettings
    from streams.serve.settings import ServeSettings
    from streams.worker.reports.logs import log_to_stderr
    from streams.worker.run import run_worker

    return_large_arrays()
    off = no_serve or address == "off"
    for name, given in (("--console", console), ("--quack", quack)):
        if off and given:
            raise click.UsageError(f"{name} needs an address: leave out --no-serve")
    serve = None if off else ServeSettings.of(address, token_file, console, quack)
    log_to_stderr(form=log_form)
    tally = run_worker(
        db,
        kafka,
        once=once,
        registry_url=registry,
        group=group,
        memory_mib=memory,
        replication_factor=replication_factor,
        serve=serve,
        alerts=None if alerts is None else AlertSettings.read(alerts),
    )
    if as_json:
        write_json(tally.summary())
    else:
        rows = [(name.replace("_", " "), count) for name, count in tally.summary().items()]
        write_rows(("what", "value"), rows, "text")
