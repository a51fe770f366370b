"""Holds the settings with which a worker starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from streams.alerts.settings import AlertSettings
from streams.errors import ListenError, WorkerError
from streams.kafka.connection import KafkaConnection
from streams.kafka.settings.connection_settings import (
    FILE_VARIABLE,
    PREFIX_VARIABLE,
    connection_from,
)
from streams.serve.settings import ANY_PORT, ON_LOOPBACK, ServeSettings
from streams.worker.limits import WORKER_LIMITS, WorkerLimits

if TYPE_CHECKING:  # the commands' options come from here, and are to be there at once
    from streams.kafka.registry.rest import Address

__all__ = ["DEFAULT_GROUP", "WRITER_MEMORY_MIB", "Settings"]

DEFAULT_GROUP = "lineage"
_WRITER_MEMORY_MIB_MIN = 200
# Recording is as fast with this as with more, and the worker stays below 2 GiB. Questions need
# more, and have a default of their own.
WRITER_MEMORY_MIB = 320


@dataclass(frozen=True)
class Settings:
    """The settings with which a worker starts.

    db: the DuckDB file. broker: HOST:PORT, or several with commas, or the connection to it.
    group: its Kafka consumer group; a worker records every partition, so two workers, each with
    a database of its own, need two groups. registry_url: address of a Confluent schema registry;
    None: the ids that ship with `schemas`. once: end when all that was there at the start is
    recorded. memory_mib: what the database may take. limits: bounds that no option sets.
    replication_factor: of topics that are created; None: the broker's own default. serve: where
    questions to the database are answered meanwhile; None: nowhere. alerts: who is told of flags.
    """

    db: str
    broker: KafkaConnection | str
    group: str = DEFAULT_GROUP
    registry_url: Address | str | None = field(default=None, repr=False)  # it can hold a password
    once: bool = False
    memory_mib: int = WRITER_MEMORY_MIB
    limits: WorkerLimits = WORKER_LIMITS
    replication_factor: int | None = None
    serve: ServeSettings | None = ON_LOOPBACK
    alerts: AlertSettings | None = None

    @cached_property
    def connection(self) -> KafkaConnection:
        """Return the connection to the broker."""
        return KafkaConnection.of(self.broker)

    @property
    def bootstrap(self) -> str:
        """Return the broker's address, as it is told to people."""
        return self.connection.bootstrap

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from variables; raise WorkerError for an invalid value.

        The variables are LINEAGE_DB, LINEAGE_BOOTSTRAP, LINEAGE_GROUP, LINEAGE_MEMORY,
        LINEAGE_REPLICATION_FACTOR, LINEAGE_SERVE (HOST:PORT, or off), LINEAGE_TOKEN_FILE,
        LINEAGE_CONSOLE (1: the console is shown, too), LINEAGE_QUACK (1: DuckDB's own clients are
        answered), LINEAGE_ALERTS (a file), and those of `connection_from` and `registry_from`,
        whose errors it raises, too.
        """
        from streams.kafka.registry.client import registry_from

        broker = connection_from(
            environment.get("LINEAGE_BOOTSTRAP"),
            environment.get(FILE_VARIABLE) or None,
            environment.get(PREFIX_VARIABLE, ""),
            environment,
        )
        return cls(
            db=environment.get("LINEAGE_DB", "lineage.duckdb"),
            broker=broker or "127.0.0.1:9092",
            group=environment.get("LINEAGE_GROUP") or DEFAULT_GROUP,
            registry_url=registry_from(environment.get("LINEAGE_REGISTRY_URL"), environment),
            memory_mib=_mib(environment.get("LINEAGE_MEMORY") or str(WRITER_MEMORY_MIB)),
            replication_factor=_factor(environment.get("LINEAGE_REPLICATION_FACTOR")),
            serve=_serve(
                environment.get("LINEAGE_SERVE") or ANY_PORT,
                environment.get("LINEAGE_TOKEN_FILE"),
                _is_on(environment, "LINEAGE_CONSOLE"),
                _is_on(environment, "LINEAGE_QUACK"),
            ),
            alerts=_alerts(environment.get("LINEAGE_ALERTS")),
        )


def _factor(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and int(text) >= 1):
        raise WorkerError("LINEAGE_REPLICATION_FACTOR must be a whole number from 1 on")
    return int(text)


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    if environment.get(name, "") not in ("", "0", "1"):
        raise WorkerError(f"{name} must be 1 or 0")
    return environment.get(name) == "1"


def _serve(
    address: str, token_file: str | None, console: bool, quack: bool
) -> ServeSettings | None:
    if address == "off":
        return None
    try:
        return ServeSettings.of(address, Path(token_file) if token_file else None, console, quack)
    except ListenError as error:
        raise WorkerError(f"LINEAGE_SERVE, LINEAGE_TOKEN_FILE: {error}") from None


def _alerts(path: str | None) -> AlertSettings | None:
    return AlertSettings.read(Path(path)) if path else None


def _mib(text: str) -> int:
    if not (text.isdecimal() and int(text) >= _WRITER_MEMORY_MIB_MIN):
        raise WorkerError(
            f"LINEAGE_MEMORY must be a whole number of MiB from {_WRITER_MEMORY_MIB_MIN} on"
        )
    return int(text)
