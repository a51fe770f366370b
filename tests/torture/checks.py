"""Compares what a worker recorded with what was sent to it, exactly."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro

import lineage
from lineage.codec import FLAG_RAISED, Decoder, LocalIds
from streams.kafka.records import Records
from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, FLAG_TOPIC, INPUT_TOPICS, end_offsets
from streams.worker.pipeline.decode import decode_and_encode
from tests.streams.kafka_helpers import read_all
from tests.torture.hostile_log import HostileLog

Row = tuple[Any, ...]

# Where the ids of each type's events are.
_IDS = {
    "MessageSent": "SELECT message_id FROM message",
    "RecordsMoved": "SELECT hop_id FROM hop",
    "ConsentChanged": "SELECT change_id FROM consent_change",
    "DatasetDeclared": "SELECT declaration_id FROM core.declaration",
    "PolicyPublished": "SELECT policy_id FROM policy WHERE policy_id <> 'built-in'",
    "RunReported": "SELECT report_id FROM run_report",
}
# What a replay of the same events must have as well; the digest has the rest.
_SAME = (
    "SELECT * FROM flag",
    "SELECT * FROM unmatched_input",
    "SELECT message_id, hop_id, dataset, record_id, arrived_at, identifiable FROM arrival",
    "SELECT * FROM conflict",
)


# Of a flag and its first hop.
_FLAG_COLUMNS = (
    *("rule", "severity", "message_id", "dataset", "policy_id", "first_at", "last_at"),
    *("arrivals", "first_hop", "job", "run_id", "source"),
)


@dataclass
class Findings:
    """The figures of the checks, and sentences about what is wrong."""

    figures: dict[str, int | str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def check(self, holds: bool, sentence: str) -> None:
        """Note a sentence unless something holds."""
        if not holds:
            self.wrong.append(sentence)


def compared(db: Path, replayed: Path, log: HostileLog, bootstrap: str) -> Findings:
    """Compare the database of a worker with the log, the topics, and a replay of the log."""
    found = Findings()
    with lineage.open(db, read_only=True) as store, lineage.open(replayed, read_only=True) as other:
        _compare_digests(found, store, other)
        _compare_ids(found, store, log)
        _compare_positions(found, store, bootstrap)
        _compare_dead_letters(found, store, log, bootstrap)
        _compare_flags(found, store, bootstrap)
    return found


def _compare_digests(found: Findings, store: lineage.Store, other: lineage.Store) -> None:
    ours, theirs = store.digest(), other.digest()
    found.figures["digest"] = ours
    found.check(ours == theirs, f"the digest is {ours}, that of a replay {theirs}")
    for query in _SAME:
        differing = Counter(_rows(store, query)), Counter(_rows(other, query))
        more, fewer = differing[0] - differing[1], differing[1] - differing[0]
        found.check(
            not more and not fewer,
            f"{query}: {more.total()} rows are in no replay, {fewer.total()} are in it alone",
        )


def _compare_ids(found: Findings, store: lineage.Store, log: HostileLog) -> None:
    lost = doubled = 0
    for name, ids in log.ids().items():
        rows = [one for (one,) in _rows(store, _IDS[name])]
        lost += len(ids.difference(rows))
        doubled += len(rows) - len(set(rows))
        found.check(set(rows) <= ids, f"{name}: {len(set(rows) - ids)} were never sent")
        found.figures[f"events {name}"] = len(rows)
    found.figures |= {"events lost": lost, "events doubled": doubled}
    found.check(lost == 0, f"{lost} events were lost")
    found.check(doubled == 0, f"{doubled} events are there twice")


def _compare_positions(found: Findings, store: lineage.Store, bootstrap: str) -> None:
    ends = {at: end for at, end in end_offsets(bootstrap, INPUT_TOPICS).items() if end}
    found.figures["records in topics"] = sum(ends.values())
    recorded = {at: position for at, position in store.positions().items() if position}
    found.check(recorded == ends, f"recorded up to {recorded}, the topics end at {ends}")


def _compare_dead_letters(
    found: Findings, store: lineage.Store, log: HostileLog, bootstrap: str
) -> None:
    """The table must be exactly the values that are no events, by what is in the topics now."""
    values = {
        (record.topic, record.partition, record.offset): record.value
        for topic in INPUT_TOPICS
        for record in read_all(bootstrap, topic)
    }
    missing = {record.value for record in log.records}.difference(values.values())
    found.check(not missing, f"{len(missing)} records never came to the topics")
    bad = log.bad_values
    expected = set(_letters({at: value for at, value in values.items() if value in bad}))
    rows = _rows(store, "SELECT source, partition, position, reason, sha256 FROM dead_letter")
    found.figures["dead letters"] = len(rows)
    found.check(len(rows) == len(set(rows)), "dead letters are in the table twice")
    found.check(
        set(rows) == expected,
        f"{len(expected.difference(rows))} dead letters are missing, "
        f"{len(set(rows) - expected)} should not be",
    )
    told: dict[bytes, Row] = {}
    records = read_all(bootstrap, DEAD_LETTER_TOPIC)
    for record in records:
        tags = {name: value.decode() for name, value in record.headers}
        at = tags["source"], int(tags["partition"]), int(tags["position"])
        told[record.key] = (*at, tags["reason"], tags["sha256"])
        found.check(record.value == values[at], f"a dead letter has other bytes than {at}")
    found.figures["dead letters on the topic"] = len(records)
    found.check(
        set(told.values()) == expected,
        f"the dead-letter topic, by key, has {len(told)}, and {len(expected)} are expected",
    )


def _letters(values: Mapping[tuple[str, int, int], bytes | None]) -> Iterator[Row]:
    """Yield the dead letter of each value, read alone."""
    decoder = Decoder(LocalIds())
    for (topic, partition, offset), value in values.items():
        records = Records(topic, partition, [offset], [value])
        for part in decode_and_encode(decoder, [records], []):
            for letter in part.dead_letters:
                yield topic, partition, offset, letter.reason, letter.sha256


def _compare_flags(found: Findings, store: lineage.Store, bootstrap: str) -> None:
    """The topic, by key and the last one winning, must be the table."""
    records = read_all(bootstrap, FLAG_TOPIC)
    standing = folded(records)
    history = _rows(store, "SELECT status FROM flag_history")
    found.figures |= {
        "flags": len(_rows(store, "SELECT 1 FROM flag")),
        "flags raised": history.count(("RAISED",)),
        "flags cleared": history.count(("CLEARED",)),
        "flags on the topic": len(records),
    }
    columns = _FLAG_COLUMNS
    rows = _rows(
        store, f"SELECT {', '.join(columns)} FROM flag LEFT JOIN hop ON first_hop = hop_id"
    )
    told = [tuple(event[name] for name in columns) for event in standing]
    more, fewer = Counter(told) - Counter(rows), Counter(rows) - Counter(told)
    found.check(
        not more and not fewer,
        f"of the flags on the topic {more.total()} are not in the table, and {fewer.total()} of "
        f"the table are not on the topic: {[*more, *fewer][:2]}",
    )


def folded(records: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the flags that stand by the flag topic alone: by key, the last one wins."""
    schema = fastavro.parse_schema(json.loads(FLAG_RAISED.schema))
    standing: dict[bytes, dict[str, Any]] = {}
    for record in records:
        event: Any = fastavro.schemaless_reader(io.BytesIO(record.value[5:]), schema, None)
        standing.pop(record.key, None)
        if event["status"] == "RAISED":
            standing[record.key] = {name: _plain(value) for name, value in event.items()}
    return list(standing.values())


def _plain(value: object) -> object:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _rows(store: lineage.Store, query: str) -> list[Row]:
    return store.sql(query).fetchall()
