"""Holds the settings with which a worker starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streams.errors import ListenError, WorkerError
from streams.serve.settings import ANY_PORT, ON_LOOPBACK, ServeSettings
from streams.worker.limits import WORKER_LIMITS, WorkerLimits

__all__ = ["DEFAULT_GROUP", "WRITER_MEMORY_MIB", "Settings"]

DEFAULT_GROUP = "lineage"
_WRITER_MEMORY_MIB_MIN = 200
# Recording is as fast with this as with more, and the worker stays below 2 GiB. Questions need
# more, and have a default of their own.
WRITER_MEMORY_MIB = 320


@dataclass(frozen=True)
class Settings:
    """The settings with which a worker starts.

    db: the DuckDB file. bootstrap: HOST:PORT of the broker, or several with commas.
    group: its Kafka consumer group; a worker records every partition, so two workers, each with
    a database of its own, need two groups. registry_url: of a Confluent schema registry; None:
    the ids that ship with `schemas`. once: end when all that was there at the start is recorded.
    memory_mib: what the database may take. limits: bounds that no option sets. serve: where
    questions to the database are answered meanwhile; None: nowhere.
    """

    db: str
    bootstrap: str
    group: str = DEFAULT_GROUP
    registry_url: str | None = field(default=None, repr=False)  # it can hold a password
    once: bool = False
    memory_mib: int = WRITER_MEMORY_MIB
    limits: WorkerLimits = WORKER_LIMITS
    serve: ServeSettings | None = ON_LOOPBACK

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from variables; raise WorkerError for an invalid value.

        The variables are LINEAGE_DB, LINEAGE_BOOTSTRAP, LINEAGE_GROUP, LINEAGE_REGISTRY_URL,
        LINEAGE_MEMORY, LINEAGE_SERVE (HOST:PORT, or off) and LINEAGE_TOKEN_FILE.
        """
        return cls(
            db=environment.get("LINEAGE_DB", "lineage.duckdb"),
            bootstrap=environment.get("LINEAGE_BOOTSTRAP", "127.0.0.1:9092"),
            group=environment.get("LINEAGE_GROUP") or DEFAULT_GROUP,
            registry_url=environment.get("LINEAGE_REGISTRY_URL") or None,
            memory_mib=_mib(environment.get("LINEAGE_MEMORY") or str(WRITER_MEMORY_MIB)),
            serve=_serve(
                environment.get("LINEAGE_SERVE") or ANY_PORT, environment.get("LINEAGE_TOKEN_FILE")
            ),
        )


def _serve(address: str, token_file: str | None) -> ServeSettings | None:
    if address == "off":
        return None
    try:
        return ServeSettings.of(address, Path(token_file) if token_file else None)
    except ListenError as error:
        raise WorkerError(f"LINEAGE_SERVE, LINEAGE_TOKEN_FILE: {error}") from None


def _mib(text: str) -> int:
    if not (text.isdecimal() and int(text) >= _WRITER_MEMORY_MIB_MIN):
        raise WorkerError(
            f"LINEAGE_MEMORY must be a whole number of MiB from {_WRITER_MEMORY_MIB_MIN} on"
        )
    return int(text)
