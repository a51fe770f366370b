"""Limits on what is read, in one place; docs/limits.md says them to people.

What exceeds one is a dead letter, or a LogError where a file's header does: no input may take
memory or time out of proportion to its size. None depends on what was read before, apart from
UNPACKED_*, which are of one file.
"""

from __future__ import annotations

# An id, and the name of a dataset, in UTF-8.
ID_BYTES_MAX = 256

# Inputs x outputs of a hop (each id once), which is how many arrivals it brings for one message in
# each input; without outputs, inputs.
HOP_ARRIVALS_MAX = 1_000_000

# Parties, inputs, outputs and arrivals (as above) that the events of a batch of a log bring
# together, if it is not one event.
BATCH_WEIGHT_MAX = 2_000_000

# A line of an event log; a hop of a million UUIDs still fits.
LINE_BYTES_MAX = 64 << 20

# Values in a line or in an Avro record: an array of nothing takes 25 times more memory than text.
VALUES_MAX = 4_000_000

# A block of a container file, unpacked.
BLOCK_BYTES_MAX = 64 << 20

# A packed file may unpack to so many times its bytes, and to so many bytes more. Logs of real
# events come to 5 to 20 times.
UNPACKED_RATIO_MAX = 100
UNPACKED_FREE_BYTES = 16 << 20

# So much of what can't be read is kept for the dead-letter topic: a Kafka record of 16 MiB, as the
# topics take, also has a key and headers.
KEPT_BYTES_MAX = 15 << 20

# The text of a writer's schema; and how many types it may come to when its names are written out.
SCHEMA_BYTES_MAX = 1 << 20
SCHEMA_TYPES_MAX = 10_000


def mib(size: int) -> str:
    """A number of bytes for a person."""
    return f"{size >> 20} MiB"
