"""Limits on input, in one place; docs/limits.md explains them to people.

Input that exceeds a limit is a dead letter, or a LogError where a file's header does: no input may
take memory or time out of proportion to its size. No limit depends on input before, apart from
those on the unpacked bytes of a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# An id, and the name of a dataset, in UTF-8.
ID_BYTES_MAX = 256

# Inputs x outputs of a hop (each id once): its arrivals for one message in each input; without
# outputs, inputs.
HOP_ARRIVALS_MAX = 1_000_000

# Parties, inputs, outputs and arrivals (as above) that the events of a batch of a log bring
# together, if it is not one event.
BATCH_WEIGHT_MAX = 2_000_000

# Values in a line or in an Avro record: an array of nothing takes 25 times more memory than text.
VALUES_MAX = 4_000_000

# So many bytes of an unreadable value are kept for the dead-letter topic: a Kafka record of 16 MiB,
# as the topics take, also has a key and headers.
KEPT_BYTES_MAX = 15 << 20

# The text of a writer's schema; and how many types it may come to when its names are written out.
SCHEMA_BYTES_MAX = 1 << 20
SCHEMA_TYPES_MAX = 10_000


@dataclass(frozen=True)
class ReadLimits:
    """Limits on files of event logs, in bytes.

    Attributes:
        batch: Of lines, or of tables, that make a batch: huge hops make one of fewer events.
        line: Of a line; a hop of a million UUIDs still fits.
        block: Of a block of a container file, unpacked.
        unpacked_ratio: A packed file may unpack to so many times its bytes. Logs of real events
            come to 5 to 20 times.
        unpacked_free: And to so many bytes more.
    """

    batch: int = 64 << 20
    line: int = 64 << 20
    block: int = 64 << 20
    unpacked_ratio: int = 100
    unpacked_free: int = 16 << 20


READ_LIMITS: Final = ReadLimits()


def mib(size: int) -> str:
    """Return a number of bytes for a person."""
    return f"{size >> 20} MiB"
