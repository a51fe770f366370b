"""Knows the settings of the Kafka clients that have no other place, and what type each is of."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

from streams.errors import KafkaSettingError

__all__ = ["client_settings", "nearest"]

Scalar = bool | int | float | str | None

# What the program depends on, with the reason; the names are Kafka's.
_HELD = {
    "acks": "every record is to be acknowledged by all replicas in sync",
    "allow.auto.create.topics": "topics are created with the settings that evidence needs",
    "auto.commit.interval.ms": "positions are kept in the database",
    "auto.offset.reset": "where to read on is kept in the database",
    "enable.auto.commit": "positions are kept in the database",
    "enable.idempotence": "repeats are harmless already",
    "fetch.min.bytes": "it goes with the size of the batches",
    "fetch.max.wait.ms": "it goes with the size of the batches",
    "group.id": "it is given by --group or LINEAGE_GROUP",
    "isolation.level": "what a producer aborted is never read",
    "max.poll.records": "records are handed over by the fetch",
    "max.request.size": "events are as large as the topics take",
    "transactional.id": "nothing is sent in transactions",
}
_COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")
# Of the libraries, and of no use in a file.
_INTERNAL = {
    "api_version", "bootstrap_servers", "bootstrap_timeout_ms", "consumer_timeout_ms",
    "default_offset_commit_callback", "exclude_internal_topics", "kafka_client", "key_deserializer",
    "key_serializer", "loop", "partitioner", "partition_assignment_strategy", "proxy_url",
    "selector", "socket_options", "socks5_proxy", "topics", "transaction_timeout_ms",
    "value_deserializer", "value_serializer",
}  # fmt: skip


def client_settings(given: Mapping[str, tuple[str, str]]) -> dict[str, Scalar]:
    """Return settings by their names in Python, each with a value of its type.

    given: by Kafka's name, the value and where it was given. Raises KafkaSettingError for one that
    no client knows, one that this program holds, and one of another type.
    """
    settings = {}
    for name, (value, where) in given.items():
        if name in _HELD:
            raise KafkaSettingError(f"{where}: {name} cannot be set: {_HELD[name]}")
        default = _known().get(name)
        if default is None:
            raise KafkaSettingError(
                f"{where}: no client here has a setting {name}{nearest(name, _known())}"
            )
        settings[name.replace(".", "_")] = _typed(name, value, default, where)
    return settings


def nearest(name: str, known: Mapping[str, object]) -> str:
    """Return a hint at the known name that is most like it; nothing, where none is."""
    found = get_close_matches(name, known, 1)
    return f"; the nearest is {found[0]}" if found else ""


@cache
def _known() -> Mapping[str, Scalar]:
    """Return every setting of every client by Kafka's name, with a value of its type."""
    found: dict[str, Scalar] = {}
    for defaults in _defaults():
        for name, default in defaults.items():
            dotted = name.replace("_", ".")
            secured = dotted.startswith(("ssl.", "sasl.", "security.", "metric"))
            if secured or name in _INTERNAL or dotted in _HELD or dotted in found:
                continue
            if default is None:
                default = 0 if name.endswith(("_ms", "_bytes")) else ""
            if isinstance(default, (bool, int, float, str)) and default != float("inf"):
                found[dotted] = default
    return found


def _defaults() -> list[Mapping[str, object]]:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from kafka import KafkaConsumer, KafkaProducer
    from kafka.admin import KafkaAdminClient

    ours = [client.DEFAULT_CONFIG for client in (KafkaAdminClient, KafkaConsumer, KafkaProducer)]
    for client in (AIOKafkaConsumer, AIOKafkaProducer):
        parameters = inspect.signature(client).parameters.values()
        ours.append({one.name: one.default for one in parameters})
    return ours


def _typed(name: str, value: str, default: Scalar, where: str) -> Scalar:
    if name == "compression.type":
        if value not in _COMPRESSIONS:
            raise KafkaSettingError(f"{where}: {name} must be one of {', '.join(_COMPRESSIONS)}")
        return None if value == "none" else value
    if isinstance(default, bool):
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise KafkaSettingError(f"{where}: {name} must be true or false")
    if isinstance(default, str):
        return value
    try:
        return float(value) if isinstance(default, float) else int(value)
    except ValueError:
        raise KafkaSettingError(f"{where}: {name} must be a number") from None
