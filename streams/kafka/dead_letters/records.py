"""Makes a Kafka record of a dead letter: the original record, and headers that name the cause."""

from __future__ import annotations

from collections.abc import Sequence

from lineage.codec.batch import DeadLetter
from lineage.codec.wire import NO_SCHEMA_ID
from streams.kafka.records import Header, OriginalRecord, OutgoingRecord

__all__ = ["ORIGINAL_HEADER", "explained", "record", "smaller"]

# In front of the name of each header that the original record had. None of ours begins so.
ORIGINAL_HEADER = "original."
_KEY = "key"
# Where newer serializers of Confluent put the schema's id, and nothing before the value.
_SCHEMA_ID_HEADER = "__value_schema_id"


def record(letter: DeadLetter, original: OriginalRecord | None = None) -> OutgoingRecord:
    """Return the record that tells of a dead letter; its value is that of the original.

    Its key is the place where the original was read, by which repeats of a dead letter can be told,
    and without which a record that has no value could not be.

    Headers, UTF-8 text: reason, what is wrong with it. source, partition, position: where it was
    read (a topic, its partition and offset; or a file, 0 and the line number or record index from
    1). sha256: of the original bytes, in hex, as in the table `dead_letter`. timestamp: of the
    original, in milliseconds since 1970. Further headers, in bytes: key, the original key, if it
    had one; and each header of the original, with ORIGINAL_HEADER in front of its name.
    """
    headers: list[Header] = [
        ("reason", letter.reason.encode()),
        ("source", letter.source.encode(errors="replace")),
        ("partition", str(letter.partition).encode()),
        ("position", str(letter.position).encode()),
        ("sha256", letter.sha256.encode()),
    ]
    if original is not None:
        headers += _of_original(original)
    return OutgoingRecord(_place(letter), letter.value, headers)


def explained(reason: str, headers: Sequence[Header]) -> str:
    """Return the reason against a value, told by the headers of its record where these say more."""
    if reason != NO_SCHEMA_ID or not any(name == _SCHEMA_ID_HEADER for name, _ in headers):
        return reason
    return (
        f"{reason}; the record has it in the header {_SCHEMA_ID_HEADER}, which is not read: let "
        "the producer write it before the value (value.schema.id.serializer: "
        "io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer)"
    )


def _place(letter: DeadLetter) -> bytes:
    return f"{letter.source}/{letter.partition}/{letter.position}".encode(errors="replace")


def _of_original(original: OriginalRecord) -> list[Header]:
    headers: list[Header] = []
    if original.timestamp is not None:
        headers.append(("timestamp", str(original.timestamp).encode()))
    if original.key is not None:
        headers.append((_KEY, original.key))
    headers += [(ORIGINAL_HEADER + name, value) for name, value in original.headers]
    return headers


def smaller(letter: OutgoingRecord) -> OutgoingRecord:
    """Return the record without its value, or without the original's key and headers.

    That is, without what takes more; done twice, it is without both. The header omitted-bytes tells
    how many bytes the value had, omitted-headers how many of key and headers there were.
    """
    ours = [header for header in letter.headers if not _is_original(header)]
    theirs = [header for header in letter.headers if _is_original(header)]
    size = len(letter.value or b"")
    if size >= sum(len(name) + len(value or b"") for name, value in theirs):
        told = ("omitted-bytes", str(size).encode())
        return OutgoingRecord(letter.key, None, [*letter.headers, told])
    told = ("omitted-headers", str(len(theirs)).encode())
    return OutgoingRecord(letter.key, letter.value, [*ours, told])


def _is_original(header: Header) -> bool:
    return header[0] == _KEY or header[0].startswith(ORIGINAL_HEADER)
