"""Kafka values of the SDK are those that the tracker reads."""

from __future__ import annotations

import orjson
from hypothesis import given

from lineage.codec import Decoder, Encoder, LocalIds, canonical_json, from_events
from lineage.codec import by_name as type_of
from lineage_sdk.contract.events import by_name
from lineage_sdk.delivery.transports.avro import wire_value
from lineage_sdk.delivery.transports.kafka import key_of
from streams.kafka.publish import _key
from tests.lineage.codec.examples import GOOD, Event, content
from tests.lineage.codec.strategies import read_events
from tests.properties import tried

encoder = Encoder(LocalIds())
decoder = Decoder(LocalIds())


@tried(50)
@given(read_events)
def test_the_tracker_reads_what_was_meant(event: Event) -> None:
    event = orjson.loads(orjson.dumps(event))
    value = wire_value(by_name(event["event"]), event)
    batch = decoder.decode(type_of(event["event"]).topic, 0, [0], [value])
    assert content(batch) == content(from_events([event]))
    assert not batch.dead_letters
    # To the byte: both write arrays as one block.
    assert value == encoder.encode(event)


@tried(50)
@given(read_events)
def test_the_key_is_that_of_publish(event: Event) -> None:
    assert key_of(by_name(event["event"]), event) == _key(type_of(event["event"]), event)


def test_every_event_that_is_read_can_be_written() -> None:
    for event in GOOD:
        kind = by_name(event["event"])
        assert wire_value(kind, event) == encoder.encode(event)
        assert canonical_json(type_of(kind.name), event)
