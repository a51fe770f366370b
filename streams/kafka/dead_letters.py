"""Makes a Kafka record of a dead letter: the original bytes, and headers that name the cause."""

from __future__ import annotations

from lineage.codec.batch import DeadLetter

__all__ = ["headers", "key"]


def key(letter: DeadLetter) -> bytes:
    """Return the place where it was read, by which duplicates of a dead letter can be told.

    A record without a value must have a key in any case.
    """
    return f"{letter.source}/{letter.partition}/{letter.position}".encode(errors="replace")


def headers(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """Return the record headers, all UTF-8 text.

    reason: what is wrong with it. source, partition, position: where it was read (a topic, its
    partition and offset; or a file, 0 and the line number or record index from 1).
    sha256: of the original bytes, in hex, as in the table `dead_letter`.
    """
    return [
        ("reason", letter.reason.encode()),
        ("source", letter.source.encode(errors="replace")),
        ("partition", str(letter.partition).encode()),
        ("position", str(letter.position).encode()),
        ("sha256", letter.sha256.encode()),
    ]
