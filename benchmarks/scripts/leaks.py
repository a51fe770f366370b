"""Sends a log of the worst mix at a steady rate with leaks in it, and times their flags.

The leaks: in some confidential InMails the last hop, to the search index, goes to a third party
instead. Prints one JSON object: loaded and idle (milliseconds from handing the last hop to the
producer until a consumer of the flag topic has the flag), rate (events a second, as sent),
late_ms_max (the sender behind its timetable).
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.scripts.datums import Datum, datums, produce, wire_header
from lineage.codec import FLAG_RAISED, INPUTS
from lineage.codec.wire import PARSED
from lineage.policy.parse import BUILT_IN
from streams.kafka.topics.topics import FLAG_TOPIC, create_topics, topic_partitions
from streams.simulate.world import company

RULE = "confidential-inmail-to-third-party"
LEAKS_A_SECOND = 50
_INSTANTS = {
    "MessageSent": "sent_at",
    "RecordsMoved": "moved_at",
    "ConsentChanged": "effective_at",
}
_SECONDS_MAX = 60.0
_TICK_SECONDS = 0.002
_IDLE_PAUSE_SECONDS = 0.25
_HEADER_BYTES = 5


@dataclass(frozen=True)
class Record:
    """A record to be sent; leak: the message whose last hop it is."""

    topic: str
    key: bytes
    value: bytes
    leak: str | None = None


class Flags:
    """Reads the flag topic in a thread; when each flag of ours came, by message."""

    def __init__(self, bootstrap: str) -> None:
        self.seen: dict[str, float] = {}
        self._stop = threading.Event()
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "leaks", "enable.auto.commit": False}
        )
        partitions = topic_partitions(bootstrap, [FLAG_TOPIC])[FLAG_TOPIC]
        self._consumer.assign([TopicPartition(FLAG_TOPIC, n, 0) for n in range(partitions)])
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        schema = PARSED[FLAG_RAISED.name]
        while not self._stop.is_set():
            record = self._consumer.poll(0.1)
            if record is None or record.error():
                continue
            now = time.perf_counter()
            datum: Any = fastavro.schemaless_reader(
                io.BytesIO(record.value()[_HEADER_BYTES:]), schema, None
            )
            if datum["rule"] == RULE and datum["dataset"] == company.INSIGHTS:
                self.seen.setdefault(datum["message_id"], now)

    def wait_for(self, messages: set[str]) -> None:
        """Wait until the flags of all these messages came, or fail."""
        deadline = time.perf_counter() + _SECONDS_MAX
        while missing := messages - self.seen.keys():
            if time.perf_counter() > deadline:
                sys.exit(f"{len(missing)} of {len(messages)} flags did not come")
            time.sleep(0.01)

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()


class Sender:
    """Sends records; when each leak's last hop was handed over, by message."""

    def __init__(self, bootstrap: str) -> None:
        self.sent: dict[str, float] = {}
        self.late_ms_max = 0.0
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "delivery.report.only.error": True,
            }
        )

    def send(self, record: Record) -> None:
        """Send one."""
        if record.leak is not None:
            self.sent[record.leak] = time.perf_counter()
        produce(self._producer, record.topic, record.key, record.value)

    def send_at(self, records: list[Record], rate: int) -> float:
        """Send all of them, so many a second; return the seconds that it took."""
        began = time.perf_counter()
        done = 0
        while done < len(records):
            due = min(len(records), int((time.perf_counter() - began) * rate))
            if due > done:
                behind = time.perf_counter() - began - done / rate
                self.late_ms_max = max(self.late_ms_max, 1000 * (behind - _TICK_SECONDS))
            for record in records[done:due]:
                self.send(record)
            done = due
            self._producer.poll(0)
            time.sleep(_TICK_SECONDS)
        return time.perf_counter() - began

    def flush(self) -> None:
        """Wait until all is in Kafka, or fail."""
        if self._producer.flush(_SECONDS_MAX):
            sys.exit("Kafka did not take all records")


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("bootstrap")
    for name in ("partitions", "rate", "seconds", "warm-up", "idle"):
        parser.add_argument(f"--{name}", type=int, required=True)
    asked = parser.parse_args()
    create_topics(asked.bootstrap, asked.partitions)
    first, rest = _in_order(asked.log)
    head, loaded, alone = _planned(
        rest, asked.rate * (asked.seconds + asked.warm_up), asked.rate, asked.idle
    )
    # The sender must not stop to look through what is planned.
    gc.freeze()
    flags, sender = Flags(asked.bootstrap), Sender(asked.bootstrap)
    # One leak before all others: it comes through once the worker is ready.
    for record in [*first, *head]:
        sender.send(record)
    sender.flush()
    flags.wait_for(set(sender.sent))
    sender.sent.clear()

    began = time.perf_counter()
    seconds = sender.send_at(loaded, asked.rate)
    sender.flush()
    flags.wait_for(set(sender.sent))
    under_load = [ms for at, ms in _latencies(sender, flags, began) if at >= asked.warm_up]

    sender.sent.clear()
    for steps in alone:
        for record in steps[:-1]:
            sender.send(record)
        sender.flush()
        time.sleep(_IDLE_PAUSE_SECONDS)
        sender.send(steps[-1])
        sender.flush()
        flags.wait_for(set(sender.sent))
    idle = [ms for _, ms in _latencies(sender, flags, began)]
    flags.close()
    told = {
        "loaded": under_load,
        "idle": idle,
        "rate": len(loaded) / seconds,
        "late_ms_max": sender.late_ms_max,
    }
    print(json.dumps(told))


def _latencies(sender: Sender, flags: Flags, began: float) -> list[tuple[float, float]]:
    return [(at - began, 1000 * (flags.seen[leak] - at)) for leak, at in sender.sent.items()]


def _in_order(folder: Path) -> tuple[list[Record], list[Datum]]:
    """Return the declarations, ready to be sent, and all else in the order of time."""
    headers = {kind.name: wire_header(kind) for kind in INPUTS}
    first: list[Record] = []
    rest: list[tuple[int, int, Datum]] = []
    seen: set[str] = set()
    for number, one in enumerate(datums(folder)):
        name = one.kind.name
        if name in _INSTANTS:
            # A second copy of a hop that is made a leak would be another hop of the same id.
            if one.fields[one.kind.id_field] in seen:
                continue
            seen.add(one.fields[one.kind.id_field])
            rest.append((one.fields[_INSTANTS[name]], number, one))
        else:
            first.append(Record(one.kind.topic, one.key, headers[name] + one.datum))
    rest.sort(key=lambda each: each[:2])
    return first, [one for _, _, one in rest]


def _planned(
    events: list[Datum], count: int, rate: int, idle: int
) -> tuple[list[Record], list[Record], list[list[Record]]]:
    """Plan the first leak with all before it, `count` events with leaks, and `idle` leaks alone."""
    headers = {kind.name: wire_header(kind) for kind in INPUTS}
    secret = {
        one.fields["message_id"]
        for one in events
        if one.kind.name == "MessageSent" and _confidential(one.fields)
    }
    every = max(1, rate // LEAKS_A_SECOND)
    head: list[Record] = []
    loaded: list[Record] = []
    steps: dict[str, list[Record]] = {}
    since = every
    for one in events:
        fields = one.fields
        message = _message_of(one)
        last = fields.get("target") == company.SEARCH and message in secret
        leak = last and (since >= every or len(loaded) >= count)
        since = 0 if leak else since + 1
        sent = _leaking(one) if leak else one
        value = headers[one.kind.name] + sent.datum
        record = Record(one.kind.topic, one.key, value, message if leak else None)
        if not any(each.leak for each in head[-1:]):
            head.append(record)
        elif len(loaded) < count:
            loaded.append(record)
        elif message is not None and message in secret:
            steps.setdefault(message, []).append(record)
    whole = [each for each in steps.values() if len(each) == 4 and each[-1].leak]
    return head, loaded, whole[:idle]


def _message_of(event: Datum) -> str | None:
    """Return the message that an event is about, None for a change of consent."""
    if event.kind.name == "ConsentChanged":
        return None
    message: str = event.fields.get("message_id") or min(event.fields["inputs"])
    return message


def _confidential(message: dict[str, Any]) -> bool:
    return message["channel"] == "INMAIL" and any(
        party["tier"] in BUILT_IN.paying_tiers for party in message["parties"]
    )


def _leaking(hop: Datum) -> Datum:
    fields = {**hop.fields, "target": company.INSIGHTS}
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, PARSED[hop.kind.name], fields)
    return replace(hop, datum=stream.getvalue(), fields=fields)


if __name__ == "__main__":
    main()
