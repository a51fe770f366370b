"""One good event of each type, in the JSON spelling, and ways to compare batches."""

from __future__ import annotations

import io
import zlib
from typing import Any

import cramjam
import fastavro

from lineage.codec import FLAG_RAISED, INPUTS, Batch
from lineage.codec.batch import CHILD_TABLES, COLUMNS

Event = dict[str, Any]

SENDER: Event = {
    "role": "SENDER",
    "member_id": "ann",
    "tier": "RECRUITER",
    "region": "US",
    "ai_training_consent": True,
    "third_party_consent": False,
}
RECIPIENT: Event = {
    **SENDER,
    "role": "RECIPIENT",
    "member_id": "bob",
    "tier": "FREE",
    "region": "DE",
}
MESSAGE: Event = {
    "event": "MessageSent",
    "message_id": "m1",
    "channel": "INMAIL",
    "parties": [SENDER, RECIPIENT],
    "dataset": "inbox",
    "sent_at": "2024-09-18T00:00:00Z",
}
HOP: Event = {
    "event": "RecordsMoved",
    "hop_id": "h1",
    "run_id": "r1",
    "job": "nightly",
    "operation": "COPY",
    "source": "inbox",
    "target": "warehouse",
    "inputs": ["m1", "m2"],
    "outputs": ["w1"],
    "declassification": {"method": "k-anonymity", "k": 50},
    "moved_at": "2024-09-18T00:00:01.5Z",
}
CONSENT: Event = {
    "event": "ConsentChanged",
    "change_id": "c1",
    "member_id": "ann",
    "purpose": "AI_TRAINING",
    "granted": False,
    "basis": "MEMBER",
    "effective_at": "2024-09-18T00:00:02Z",
}
DECLARATION: Event = {
    "event": "DatasetDeclared",
    "declaration_id": "d1",
    "dataset": "warehouse",
    "kind": "TABLE",
    "party": "THIRD",
    "recipient": "acme",
    "declared_at": "2024-09-18T00:00:03Z",
}
POLICY: Event = {
    "event": "PolicyPublished",
    "policy_id": "p1",
    "effective_at": "2024-09-18T00:00:04Z",
    "disclosed_at": "2024-09-19T00:00:00Z",
    "document": "rules: []",
}
REPORT: Event = {
    "event": "RunReported",
    "report_id": "o1",
    "run_id": "r1",
    "job": "nightly",
    "state": "COMPLETE",
    "hops": 1,
    "records": 3,
    "reported_at": "2024-09-18T00:00:05Z",
}
FLAG: Event = {
    "event": "FlagRaised",
    "rule": "some-rule",
    "severity": "HIGH",
    "message_id": "m1",
    "dataset": "warehouse",
    "policy_id": "built-in",
    "first_at": "2024-09-18T00:00:01Z",
    "last_at": "2024-09-18T00:00:02Z",
    "arrivals": 2,
    "first_hop": "h1",
    "status": "RAISED",
    "seq": 7,
    "updated": False,
    "job": "export",
    "run_id": "r1",
    "source": "inbox",
    "recipient": None,
}
GOOD = (MESSAGE, HOP, CONSENT, DECLARATION, POLICY, REPORT)
TYPES = (*INPUTS, FLAG_RAISED)
MAIN = tuple(CHILD_TABLES)


def without(event: Event, *names: str) -> Event:
    return {name: value for name, value in event.items() if name not in names}


def content(batch: Batch) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table without where they were read, their row numbers without gaps."""
    where = {"read_from", "partition", "position"}
    found: dict[str, list[tuple[Any, ...]]] = {}
    for main, hanging in CHILD_TABLES.items():
        dense = {row: at for at, row in enumerate(getattr(batch, main)["row"])}
        for name in (main, *hanging):
            rows = getattr(batch, name).select(c for c in COLUMNS[name] if c not in where).rows()
            found[name] = [(dense[row], *others) for row, *others in rows]
    return found


def reasons(batch: Batch) -> dict[int, str]:
    return {letter.position: letter.reason for letter in batch.dead_letters}


def datum_bytes(schema: Any, datum: Event) -> bytes:  # noqa: ANN401 - a parsed schema
    """A datum as any Avro library writes it, whether it keeps the contract or not."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), datum)
    return out.getvalue()


def long(number: int) -> bytes:
    """A number as Avro writes it."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    return out.getvalue()


def repacked(data: bytes, compression: bytes) -> bytes:
    """A container file without packing, packed block by block."""
    file = fastavro.block_reader(io.BytesIO(data))
    head = data[: next(iter(fastavro.block_reader(io.BytesIO(data)))).offset]
    sync = data[-16:]
    out = head.replace(b"\x08null", bytes([2 * len(compression)]) + compression)
    for block in file:
        raw = block.bytes_.getvalue()  # type: ignore[attr-defined]  # its stubs leave it out
        if compression == b"snappy":
            packed = bytes(cramjam.snappy.compress_raw(raw)) + zlib.crc32(raw).to_bytes(4, "big")
        else:
            packed = bytes(cramjam.zstd.compress(raw))
        out += long(block.num_records) + long(len(packed)) + packed + sync
    return out
