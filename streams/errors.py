"""Defines all errors that the Kafka side raises on purpose.

StreamsError
├── BrokerError                  a broker is not there, or cannot be started
│   ├── BrokerUnavailableError   nothing that speaks Kafka answers at HOST:PORT
│   ├── JavaError                no Java, or one that is too old
│   ├── MavenError               no Maven, or it could not fetch Apache Kafka
│   ├── PortTakenError           something else listens on the port asked for
│   ├── FolderInUseError         another broker runs on the folder
│   └── BrokerDiedError          the local broker ended, or never became ready
├── TopicError                   topics are missing, or cannot be created
├── PublishError                 the broker did not take every event
├── SchemaIdError                schema ids mean something else in the registry
├── LostEvidenceError            Kafka has not, or no more, what the store was read from
├── ServeError                   a database cannot be served
│   └── ListenError              not at that address, or not with that token
└── WorkerError                  the worker cannot go on

`exit_code` is what the command `lineage` ends with. A message is one sentence that says what
was wrong, where, and what would be right; it never quotes an event.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

__all__ = [
    "BrokerDiedError",
    "BrokerError",
    "BrokerUnavailableError",
    "FolderInUseError",
    "JavaError",
    "ListenError",
    "LostEvidenceError",
    "MavenError",
    "PortTakenError",
    "PublishError",
    "SchemaIdError",
    "ServeError",
    "StreamsError",
    "TopicError",
    "WorkerError",
    "causes",
]


class StreamsError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code: ClassVar[int] = 3


class BrokerError(StreamsError):
    """A broker is not there, or cannot be started."""


class BrokerUnavailableError(BrokerError):
    """Nothing that speaks Kafka answers at HOST:PORT."""

    def __init__(self, bootstrap: str, why: str = "nothing answers") -> None:
        super().__init__(
            f"no Kafka broker at {bootstrap}: {why}; give the address of one that runs with "
            "--bootstrap HOST:PORT or LINEAGE_BOOTSTRAP, or start one with `lineage broker`"
        )


class JavaError(BrokerError):
    """No Java, or one that is too old."""


class MavenError(BrokerError):
    """No Maven, or it could not fetch Apache Kafka."""


class PortTakenError(BrokerError):
    """Something else listens on the port asked for."""


class FolderInUseError(BrokerError):
    """Another broker runs on the folder."""


class BrokerDiedError(BrokerError):
    """The local broker ended, or never became ready."""


class TopicError(StreamsError):
    """Topics are missing, or cannot be created."""


class PublishError(StreamsError):
    """The broker did not take every event."""


class SchemaIdError(StreamsError):
    """The schema ids in a topic mean something else in the registry."""


class LostEvidenceError(StreamsError):
    """Kafka has not, or no more, what the store was read from."""


class ServeError(StreamsError):
    """A database cannot be served."""


class ListenError(ServeError):
    """The address cannot be listened at, or the token cannot be used: a mistake in the settings."""

    exit_code = 2


class WorkerError(StreamsError):
    """The worker cannot go on."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it came from, the nearest first, each once.

    Faust raises errors that are their own cause.
    """
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__
