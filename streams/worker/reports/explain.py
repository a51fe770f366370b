"""Explains errors of libraries, in the sentences that a worker ends with."""

from __future__ import annotations

import asyncio

import duckdb
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    OffsetOutOfRangeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from lineage.codec import SchemasError
from lineage.database.storage.faults import store_error
from lineage.errors import LineageError
from streams.errors import (
    BrokerUnavailableError,
    LostEvidenceError,
    StreamsError,
    TopicError,
    WorkerError,
    causes,
)
from streams.worker.configuration.settings import Settings

__all__ = ["explained"]

_NOT_LET_IN = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)


def explained(error: BaseException, settings: Settings) -> Exception:
    """Return an error of ours that says what was wrong, where, and what would be right."""
    for cause in causes(error):
        found = _explained(cause, settings)
        if found is not None:
            return found
    # Not its text: it could quote what was to be written.
    return WorkerError(
        f"the worker cannot go on after an unexpected {type(error).__name__}; what was recorded "
        "is safe, and the rest is read again when it is started anew"
    )


def _explained(error: BaseException, settings: Settings) -> Exception | None:
    if isinstance(error, (StreamsError, LineageError, SchemasError)):
        return error
    if isinstance(error, KafkaError):
        return _of_kafka(error, settings)
    if isinstance(error, asyncio.TimeoutError):
        return BrokerUnavailableError(settings.bootstrap, "it does not answer in time")
    if isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException)):
        return store_error(settings.db, error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return WorkerError(f"the worker cannot go on: {where}{error.strerror}")
    return None


def _of_kafka(error: KafkaError, settings: Settings) -> Exception:
    kind = type(error).__name__
    if isinstance(error, OffsetOutOfRangeError):
        return LostEvidenceError(
            "Kafka has no record at the offset to be read next: it was deleted before it was read, "
            "or the broker lost what came last; set retention.ms=-1 on the topics, and "
            "start the worker again: it notes in dead_letter what is lost"
        )
    if isinstance(error, UnknownTopicOrPartitionError):
        return TopicError(
            f"a topic is gone from {settings.bootstrap}, or a partition of one; `lineage doctor` "
            "says which topics are there"
        )
    if isinstance(error, _NOT_LET_IN):
        return TopicError(f"the broker at {settings.bootstrap} does not let the worker in: {kind}")
    if error.retriable:
        return BrokerUnavailableError(settings.bootstrap, f"it stopped answering ({kind})")
    return WorkerError(
        f"the broker at {settings.bootstrap} refused what the worker asked ({kind}); what was "
        "recorded is safe, and the rest is read again when it is started anew"
    )
