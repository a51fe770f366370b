"""The shapes of headers that Kafka clients give and take.

confluent-kafka: a list of (str, bytes) or a dict. kafka-python and aiokafka: a list or tuple of
(str, bytes). Faust: either, and a dict with values of bytes or str.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

Value = bytes | str | None
Headers = Mapping[str, Value] | Sequence[tuple[str, Value]] | None


def items(headers: Headers) -> Iterator[tuple[str, bytes]]:
    """Yield the headers that have a value, in their order."""
    found: Iterable[tuple[object, object]]
    found = headers.items() if isinstance(headers, Mapping) else headers or ()
    for name, value in found:
        if isinstance(name, bytes):
            name = name.decode(errors="replace")
        if isinstance(name, str) and isinstance(value, (bytes, bytearray, memoryview)):
            yield name, bytes(value)
        elif isinstance(name, str) and isinstance(value, str):
            yield name, value.encode(errors="replace")
