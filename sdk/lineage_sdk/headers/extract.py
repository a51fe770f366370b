"""Reads from headers which records a Kafka record is, by our header or by those of others.

Others name the offset that a record was read from:

- bakdata's streams-bootstrap, where its lineage is enabled: `streams.bootstrap.lineage.topic` in
  UTF-8, `.partition` as 4 and `.offset` as 8 bytes, big-endian, as Java's ByteBuffer writes them.
  It adds the three for each topic that a record has passed, so the last ones tell where it was
  read last (github.com/bakdata/streams-bootstrap, pull request 477).
- Lenses K2K (`features.tracingHeaders`): `k2k_topic`, `k2k_partition`, `k2k_offset`, the default
  names (docs.lenses.io/latest/k2k/configuration/tracing-headers). That page does not say how the
  numbers are written: decimal text is read, and so are 4 or 8 bytes, big-endian.
"""

from __future__ import annotations

from .record import RECORD_HEADER, Record, kafka_record, parsed
from .shapes import Headers, items

# topic, partition, offset
_STREAMS_BOOTSTRAP = tuple(
    f"streams.bootstrap.lineage.{name}" for name in ("topic", "partition", "offset")
)
_K2K = ("k2k_topic", "k2k_partition", "k2k_offset")


def extract(headers: Headers) -> list[Record]:
    """Return the records that headers name; none where they name none, whatever they are.

    Where our own header is, it alone counts. An offset in another's becomes the record that
    `kafka_record` names. No header is an error: what cannot be read is passed over.
    """
    try:
        found = list(items(headers))
    except (TypeError, ValueError):
        return []
    ours = [value for name, value in found if name == RECORD_HEADER]
    if ours:
        records = [one for value in ours for one in parsed(value.decode(errors="replace"))]
        return list(dict.fromkeys(records))
    last = dict(found)
    for names in (_STREAMS_BOOTSTRAP, _K2K):
        if all(name in last for name in names):
            topic, partition, offset = (last[name] for name in names)
            numbers = (_number(partition), _number(offset))
            if topic and None not in numbers:
                return [kafka_record(topic.decode(errors="replace"), *numbers)]  # type: ignore[arg-type]  # none is None
    return []


def _number(value: bytes) -> int | None:
    if value.isdigit() and len(value) < 20:
        return int(value)
    if len(value) in (4, 8):
        return int.from_bytes(value, "big")
    return None
