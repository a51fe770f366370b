"""Defines options that several commands share, so that they are named and explained alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar

import click

from streams.worker.settings import WRITER_MEMORY_MIB

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
bootstrap: Callable[[_F], _F] = click.option(
    "--bootstrap",
    required=True,
    envvar="LINEAGE_BOOTSTRAP",
    show_envvar=True,
    metavar="HOST:PORT",
    help="The Kafka broker; several with commas between them.",
)
registry_url: Callable[[_F], _F] = click.option(
    "--registry-url",
    envvar="LINEAGE_REGISTRY_URL",
    show_envvar=True,
    metavar="URL",
    help="A Confluent schema registry; without it, the ids that come with this program. User and "
    "password in it are sent, but never shown.",
)
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
as_json: Callable[[_F], _F] = click.option(
    "--json", "as_json", is_flag=True, help="Write JSON, one object a line."
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
fail_on_flag: Callable[[_F], _F] = click.option(
    "--fail-on-flag", is_flag=True, help="Exit with 1 if there is any flag."
)
fail_on_dead_letter: Callable[[_F], _F] = click.option(
    "--fail-on-dead-letter", is_flag=True, help="Exit with 1 if anything could not be read."
)
event_logs: Callable[[_F], _F] = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)


def instant_now() -> Any:  # noqa: ANN401 - a datetime, imported when it is asked for
    """Return the present instant in UTC: `lineage` reads no clock of its own."""
    from datetime import datetime

    return datetime.now(UTC)
