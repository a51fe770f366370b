"""Defines options that several commands share, so that they are named and explained alike."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar

import click

from streams.serve.settings import ANY_PORT
from streams.worker.configuration.settings import WRITER_MEMORY_MIB

_F = TypeVar("_F", bound=Callable[..., Any])

database: Callable[[_F], _F] = click.option(
    "--db",
    type=click.Path(path_type=Path),
    required=True,
    envvar="LINEAGE_DB",
    show_envvar=True,
    metavar="FILE",
    help="The lineage database, one DuckDB file.",
)
_bootstrap: Callable[[_F], _F] = click.option(
    "--bootstrap",
    envvar="LINEAGE_BOOTSTRAP",
    show_envvar=True,
    metavar="HOST:PORT",
    help="The Kafka broker; several with commas between them.",
)
_kafka_config: Callable[[_F], _F] = click.option(
    "--kafka-config",
    type=click.Path(path_type=Path),
    envvar="LINEAGE_KAFKA_CONFIG",
    show_envvar=True,
    metavar="FILE",
    help="Settings of the connection, one name=value a line: security.protocol, sasl.username and "
    "the others of docs/kafka.md. LINEAGE_KAFKA_SASL_USERNAME and its like go before them.",
)
_topic_prefix: Callable[[_F], _F] = click.option(
    "--topic-prefix",
    default="",
    envvar="LINEAGE_TOPIC_PREFIX",
    show_envvar=True,
    metavar="TEXT",
    help="What is in front of the names of all topics.",
)
_registry_url: Callable[[_F], _F] = click.option(
    "--registry-url",
    envvar="LINEAGE_REGISTRY_URL",
    show_envvar=True,
    metavar="URL",
    help="A Confluent schema registry; without it, the ids that come with this program. User and "
    "password in it, or in LINEAGE_REGISTRY_USER and LINEAGE_REGISTRY_PASSWORD, are never shown.",
)
replication_factor: Callable[[_F], _F] = click.option(
    "--replication-factor",
    type=click.IntRange(min=1),
    envvar="LINEAGE_REPLICATION_FACTOR",
    show_envvar=True,
    metavar="N",
    help="Of topics that are not there yet; by default the broker's own.",
)


def broker_options(command: _F) -> _F:
    """Add the options that name Kafka, each by its name."""
    for option in (_topic_prefix, _kafka_config, _bootstrap):
        command = option(command)
    return command


def kafka_options(command: _F) -> _F:
    """Add the options that name Kafka and a registry: each by its name."""
    return broker_options(_registry_url(command))


def kafka(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name Kafka and a registry; the command gets `kafka` and `registry`.

    kafka: a KafkaConnection. registry: an Address, None where none is named.
    """

    @functools.wraps(command)
    def connected(
        *,
        bootstrap: str | None,
        kafka_config: Path | None,
        topic_prefix: str,
        registry_url: str | None,
        **others: object,
    ) -> None:
        from streams.kafka.registry.client import registry_from
        from streams.kafka.settings.connection_settings import connection_from

        connection = connection_from(bootstrap, kafka_config, topic_prefix)
        if connection is None:
            raise click.UsageError(
                "no Kafka broker is named; give --bootstrap HOST:PORT, LINEAGE_BOOTSTRAP, or "
                "bootstrap.servers in the file of --kafka-config"
            )
        command(kafka=connection, registry=registry_from(registry_url), **others)

    return kafka_options(connected)


memory: Callable[[_F], _F] = click.option(
    "--memory",
    type=click.IntRange(min=200),
    default=WRITER_MEMORY_MIB,
    show_default=True,
    envvar="LINEAGE_MEMORY",
    show_envvar=True,
    metavar="MIB",
    help="What the database may take; the batch that is recorded takes more beside it.",
)
memory_to_read: Callable[[_F], _F] = click.option(
    "--memory",
    type=click.IntRange(min=64),
    default=1024,
    show_default=True,
    metavar="MIB",
    help="What the database may take, where no worker holds it.",
)
as_json: Callable[[_F], _F] = click.option(
    "--json", "as_json", is_flag=True, help="Write JSON, one object a line."
)
_vertical: Callable[[_F], _F] = click.option(
    "--vertical",
    is_flag=True,
    help="Write a line a value; a terminal that is narrower than the rows gets it so anyway.",
)
_columns: Callable[[_F], _F] = click.option(
    "--columns",
    default="",
    metavar="NAME,...",
    help="Write only these columns, in this order.",
)
as_csv: Callable[[_F], _F] = click.option(
    "--csv", "as_csv", is_flag=True, help="Write CSV with a header line."
)
limit: Callable[[_F], _F] = click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Show at most N rows on a terminal, 0 for all. What is piped is never cut.",
)
timeout: Callable[[_F], _F] = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="End the question after so long, 0 for never.",
)
token_file: Callable[[_F], _F] = click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    envvar="LINEAGE_TOKEN_FILE",
    show_envvar=True,
    metavar="FILE",
    help="A file that its owner alone can read, with the token that every question has to bring; "
    "without it, questions from the same machine need none.",
)
quack: Callable[[_F], _F] = click.option(
    "--quack",
    is_flag=True,
    envvar="LINEAGE_QUACK",
    show_envvar=True,
    help="Answer DuckDB's own clients there, too: ATTACH 'quack:HOST:PORT' (docs/quack.md).",
)
params: Callable[[_F], _F] = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="The value of $NAME in the question; as often as there are parameters.",
)
listen: Callable[[_F], _F] = click.option(
    "--listen",
    default=ANY_PORT,
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen; port 0 is any free one. Other machines need a token file.",
)
fail_on_flag: Callable[[_F], _F] = click.option(
    "--fail-on-flag", is_flag=True, help="Exit with 1 if there is any flag."
)
fail_on_dead_letter: Callable[[_F], _F] = click.option(
    "--fail-on-dead-letter", is_flag=True, help="Exit with 1 if anything could not be read."
)
event_logs: Callable[[_F], _F] = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)


def rows(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how rows are written; the command gets them as `shape`."""

    @functools.wraps(command)
    def shaped(
        *,
        as_json: bool,
        as_csv: bool,
        limit: int,
        columns: str,
        vertical: bool,
        **others: object,
    ) -> None:
        from streams.cli.output.stdout import Shape, style_of

        chosen = tuple(name.strip() for name in columns.split(",") if name.strip())
        style = style_of(as_json, as_csv)
        if vertical and style != "text":
            raise click.UsageError(f"--vertical and --{style} exclude each other")
        command(shape=Shape(style, limit, chosen, vertical), **others)

    for option in (as_json, as_csv, limit, _columns, _vertical):
        shaped = option(shaped)
    return shaped


def values_of(params: tuple[str, ...]) -> dict[str, str]:
    """Return what --param says, by name. Raises UsageError for one without = or given twice."""
    values: dict[str, str] = {}
    for each in params:
        name, equals, value = each.partition("=")
        if not equals or not name or name in values:
            raise click.UsageError(f"--param is NAME=VALUE, each name once, and not {each!r}")
        values[name.removeprefix("$")] = value
    return values


def instant_now() -> Any:  # noqa: ANN401 - a datetime, imported when it is asked for
    """Return the present instant in UTC: `lineage` reads no clock of its own."""
    from datetime import datetime

    return datetime.now(UTC)
