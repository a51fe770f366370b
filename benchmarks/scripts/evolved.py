"""Times the decoding of Kafka values by the schema that they were written with, printed as JSON.

{schema: MessageSent a second}: the present schema; the same as Java's tools write it, with
`avro.java.string` at each string; and a later one, with one nullable field more.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
from itertools import islice
from pathlib import Path
from typing import Any

import fastavro
import numpy as np

from benchmarks.scripts.datums import datums
from lineage.codec import MESSAGE_SENT, Decoder, EventType, LocalIds
from lineage.codec.wire import PARSED

_VALUES_MAX = 50_000
_TOGETHER = 10_000
_TURNS = 5
_FIRST_ID = 900


class _Schemas(LocalIds):
    """The packaged schemas, and others by ids of their own."""

    def __init__(self, others: dict[int, str]) -> None:
        super().__init__()
        self._others = others

    def schema_of(self, schema_id: int) -> str:
        return self._others.get(schema_id) or super().schema_of(schema_id)

    def id_of(self, event: EventType) -> int:
        return super().id_of(event)


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    log = parser.parse_args().log
    messages = (one for one in datums(log) if one.kind == MESSAGE_SENT)
    some = list(islice(messages, _VALUES_MAX))
    present = json.loads(MESSAGE_SENT.schema)
    added = {**present, "fields": [*present["fields"], _field()]}
    parsed = fastavro.parse_schema(json.loads(json.dumps(added)))
    later = [_written(parsed, one.datum) for one in some]
    usual = [one.datum for one in some]
    ways = {
        "the present schema": (present, usual),
        "as Java's tools write it": (_as_java(present), usual),
        "one field more": (added, later),
    }
    texts = {_FIRST_ID + place: json.dumps(way) for place, (way, _) in enumerate(ways.values())}
    decoder = Decoder(_Schemas(texts))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_TURNS):  # in turns: the machine is not always equally fast
        for schema_id, (name, (_, data)) in zip(texts, ways.items(), strict=True):
            head = b"\0" + schema_id.to_bytes(4, "big")
            seconds[name].append(_decoded(decoder, [head + each for each in data]))
    print(json.dumps({name: len(some) / statistics.median(of) for name, of in seconds.items()}))


def _field() -> dict[str, Any]:
    return {"name": "added", "type": ["null", "string"], "default": None}


def _as_java(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(schema, list):
        return [_as_java(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {name: _as_java(part) for name, part in schema.items()}
    if whole.get("type") == "string":
        whole["type"] = {"type": "string", "avro.java.string": "String"}
    return whole


def _written(schema: Any, datum: bytes) -> bytes:  # noqa: ANN401 - as fastavro has it
    """Write a datum of the present schema with the later one."""
    read = fastavro.schemaless_reader(io.BytesIO(datum), PARSED[MESSAGE_SENT.name], None)
    written = io.BytesIO()
    fastavro.schemaless_writer(written, schema, {**read, "added": "x"})  # type: ignore[dict-item]  # a record is a dict
    return written.getvalue()


def _decoded(decoder: Decoder, values: list[bytes]) -> float:
    """Return the seconds that decoding takes. Raises RuntimeError where a value is refused."""
    began, events = time.perf_counter(), 0
    for first in range(0, len(values), _TOGETHER):
        some = values[first : first + _TOGETHER]
        partitions = np.zeros(len(some), np.int64)
        offsets = np.arange(first, first + len(some))
        events += decoder.decode(MESSAGE_SENT.topic, partitions, offsets, some).events
    if events != len(values):
        raise RuntimeError(f"of {len(values)} values only {events} were decoded")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
