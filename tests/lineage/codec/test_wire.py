"""Kafka values: what an event's bytes are, and what becomes of bytes that are no event."""

import io
import json
import struct
from collections.abc import Sequence
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.codec import Batch, Decoder, EncodeError, Encoder, LocalIds, by_name, from_events
from tests.lineage.codec.examples import (
    CONSENT,
    DECLARATION,
    FLAG,
    GOOD,
    HOP,
    MESSAGE,
    POLICY,
    RECIPIENT,
    SENDER,
    Event,
    content,
    datum_bytes,
    reasons,
)
from tests.lineage.codec.strategies import any_events, near_events, read_events
from tests.properties import tried

IDS = LocalIds()
ENCODER = Encoder(IDS)
MESSAGES = "messaging.message.sent.v1"


def decode(values: Sequence[bytes | None], topic: str = MESSAGES) -> Batch:
    return Decoder(IDS).decode(topic, 3, range(100, 100 + len(values)), values)


def topic_of(event: Event) -> str:
    return by_name(event["event"]).topic


def test_the_bytes_of_a_consent_change_are_these() -> None:
    datum = b"\x04c1\x06ann\x00\x00\x00\x80\x92\xa4\xcd\xaf\x96\x91\x06"
    assert ENCODER.encode(CONSENT) == b"\x00\x00\x00\x00\x03" + datum


def test_the_bytes_of_a_hop_are_these() -> None:
    datum = (
        b"\x04h1\x04r1\x0enightly\x00\x0ainbox\x12warehouse"
        b"\x04\x04m1\x04m2\x00" b"\x02\x04w1\x00" b"\x02\x16k-anonymity\x64"
        b"\xc0\x8d\xe7\xcc\xaf\x96\x91\x06"
    )  # fmt: skip
    assert ENCODER.encode(HOP) == b"\x00\x00\x00\x00\x02" + datum


@pytest.mark.parametrize("event", GOOD, ids=lambda e: e["event"])
def test_an_event_comes_back_as_it_was_sent(event: Event) -> None:
    batch = decode([ENCODER.encode(event)], topic_of(event))
    assert content(batch) == content(from_events([event]))


def test_rows_say_where_they_were_read() -> None:
    batch = decode([ENCODER.encode(MESSAGE), None, ENCODER.encode(MESSAGE)])
    where = batch.messages.select("read_from", "partition", "position").rows()
    assert where == [(MESSAGES, 3, 100), (MESSAGES, 3, 102)]


def test_nothing_fetched_is_an_empty_batch() -> None:
    assert content(decode([])) == content(Batch.empty())


@pytest.mark.slow
@tried(100)
@given(st.lists(read_events, min_size=1, max_size=4))
def test_what_json_says_and_what_kafka_says_is_the_same(events: list[Event]) -> None:
    for event in events:
        same = [e for e in events if e["event"] == event["event"]]
        batch = decode([ENCODER.encode(e) for e in same], topic_of(event))
        assert batch.dead_letters == ()
        assert content(batch) == content(from_events(same))


@pytest.mark.slow
@tried(150)
@given(near_events())
def test_only_what_would_be_taken_can_be_sent(event: Event) -> None:
    (reason,) = reasons(from_events([event])).values() or [None]
    if reason is None:
        batch = decode([ENCODER.encode(event)], topic_of(event))
        assert content(batch) == content(from_events([event]))
    else:
        with pytest.raises(EncodeError) as error:
            ENCODER.encode(event)
        assert str(error.value) == f"{event['event']}: {reason}"


@given(any_events)
def test_every_type_can_be_sent(event: Event) -> None:
    assert ENCODER.encode(event)[:4] == b"\0\0\0\0"


def test_a_flag_can_be_sent() -> None:
    value = ENCODER.encode(FLAG)
    schema = fastavro.parse_schema(json.loads(IDS.schema_of(6)))
    found: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema)
    assert (found["rule"], found["arrivals"], found["status"]) == ("some-rule", 2, "RAISED")
    assert found["first_at"].isoformat() == "2024-09-18T00:00:01+00:00"


@pytest.mark.parametrize("event", [{}, {"event": "Other"}, {"event": []}, 5, None])
def test_what_is_no_event_cannot_be_sent(event: Any) -> None:  # noqa: ANN401 - it is wrong
    with pytest.raises(EncodeError, match="event"):
        ENCODER.encode(event)


def test_half_a_character_cannot_be_sent() -> None:
    for name in ("message_id", "dataset"):
        with pytest.raises(EncodeError, match=name):
            ENCODER.encode({**MESSAGE, name: "\ud800"})
    with pytest.raises(EncodeError, match="job"):
        ENCODER.encode({**HOP, "job": "\ud800"})


def test_a_topic_that_is_not_read_is_a_mistake_of_the_caller() -> None:
    for topic in ("lineage.flag.raised.v1", "other"):
        with pytest.raises(ValueError, match="is not a topic that is read"):
            decode([], topic)


GOOD_VALUE = ENCODER.encode(MESSAGE)
NO_HEADER = "must begin with byte 0 and a schema id of 4 bytes"
NOT_WHOLE = "the value, with schema id 1, is not a whole MessageSent as its schema has it"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "there is no value; a deletion means nothing here"),
        (b"", NO_HEADER),
        (b"\0\0\0\0", NO_HEADER),
        (b"\1" + GOOD_VALUE[1:], NO_HEADER),
        (b'{"event": "MessageSent"}', NO_HEADER),
        (b"\0\0\0\0\x63" + GOOD_VALUE[5:], "schema id 99 is not registered"),
        (b"\0\xff\xff\xff\xff" + GOOD_VALUE[5:], "schema id 4294967295 is not registered"),
        (ENCODER.encode(HOP), "schema id 2: it is of RecordsMoved, not of MessageSent"),
        (GOOD_VALUE[:5], NOT_WHOLE),
        (GOOD_VALUE[:-1], NOT_WHOLE),
        (GOOD_VALUE + b"\0", NOT_WHOLE),
        (GOOD_VALUE + GOOD_VALUE[5:], NOT_WHOLE),
        (GOOD_VALUE[:5] + b"\xff" * 20, NOT_WHOLE),
        (GOOD_VALUE[:5] + b"\x03" + GOOD_VALUE[6:], NOT_WHOLE),
        (GOOD_VALUE[:6] + b"\xff\xff" + GOOD_VALUE[8:], NOT_WHOLE),
        (GOOD_VALUE[:8] + b"\x06" + GOOD_VALUE[9:], "channel must be one of INMAIL, DIRECT, GROUP"),
        (GOOD_VALUE[:8] + b"\x01" + GOOD_VALUE[9:], "channel must be one of INMAIL, DIRECT, GROUP"),
    ],
)
def test_bytes_that_are_no_event_are_a_dead_letter(value: bytes | None, reason: str) -> None:
    batch = decode([GOOD_VALUE, value, GOOD_VALUE])
    assert batch.events == 2
    (letter,) = batch.dead_letters
    assert (letter.source, letter.partition, letter.position) == (MESSAGES, 3, 101)
    assert letter.value == value
    assert reason in letter.reason


def written(event: Event, **changed: Any) -> bytes:  # noqa: ANN401 - whatever the field is
    """The bytes of an event that breaks the contract, as another producer could write it."""
    kind = by_name(event["event"])
    schema = json.loads(kind.schema.replace(', "logicalType": "timestamp-micros"', ""))
    datum = {n: 0 if n.endswith("_at") else v for n, v in event.items() if n != "event"}
    return struct.pack(">bI", 0, IDS.id_of(kind)) + datum_bytes(schema, {**datum, **changed})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (written(MESSAGE, message_id=""), "message_id must be a non-empty string"),
        (written(MESSAGE, dataset="é" * 129), "dataset must be"),
        (written(MESSAGE, sent_at=-1), "sent_at must be an instant from 1970"),
        (written(MESSAGE, sent_at=253_402_300_800_000_000), "sent_at must be an instant"),
        (written(MESSAGE, parties=[]), "exactly one SENDER"),
        (written(MESSAGE, parties=[SENDER]), "at least one RECIPIENT"),
        (written(MESSAGE, parties=[SENDER, SENDER, RECIPIENT]), "exactly one SENDER"),
        (written(MESSAGE, parties=[SENDER, {**RECIPIENT, "region": "de"}]), "region must be two"),
        (written(HOP, inputs=[]), "inputs must be"),
        (written(HOP, outputs=[""]), "outputs must be"),
        (written(HOP, run_id=""), "run_id must be"),
        (written(POLICY, disclosed_at=-5), "disclosed_at must be null or an instant"),
        (written(DECLARATION, declaration_id="x" * 257), "declaration_id must be"),
        (written(CONSENT, member_id=""), "member_id must be"),
    ],
)
def test_whole_datums_are_held_to_the_contract_too(value: bytes, reason: str) -> None:
    event = next(e for e in GOOD if IDS.id_of(by_name(e["event"])) == value[4])
    batch = decode([value, ENCODER.encode(event)], topic_of(event))
    assert batch.events == 1
    assert reason in reasons(batch)[100]


def test_a_boolean_is_one_of_two_bytes_and_a_branch_one_of_two_numbers() -> None:
    consent = ENCODER.encode(CONSENT)
    granted = 5 + 3 + 4 + 1
    # The last two are 0 and -1, which true is as a long, in more bytes than needed.
    for other in (b"\x02", b"\x80", b"\x80\x00", b"\x81\x00"):
        value = consent[:granted] + other + consent[granted + 1 :]
        batch = decode([consent, value, consent], topic_of(CONSENT))
        assert (batch.events, list(reasons(batch))) == (2, [101])
        assert "not a whole ConsentChanged" in reasons(batch)[101]
    declared = ENCODER.encode(DECLARATION)
    branch = declared.index(b"\x02\x08acme")
    for other in (b"\x04", b"\x01", b"\x7e"):
        value = declared[:branch] + other + declared[branch + 1 :]
        assert decode([value], topic_of(DECLARATION)).events == 0


def test_a_datum_cannot_eat_the_next_one() -> None:
    # The last string of the first says that it is as long as all that follows.
    eater = ENCODER.encode({**POLICY, "document": ""})[:-1] + b"\x7e"
    values = [eater, *[ENCODER.encode(POLICY)] * 4]
    batch = decode(values, topic_of(POLICY))
    assert (batch.events, list(reasons(batch))) == (4, [100])


def test_blocks_of_an_array_may_come_with_their_size() -> None:
    hop = ENCODER.encode({**HOP, "declassification": None})
    block = b"\x04\x04m1\x04m2\x00"
    sized = hop.replace(block, b"\x03\x0c\x04m1\x04m2\x00")
    split = hop.replace(block, b"\x02\x04m1\x02\x04m2\x00")
    batch = decode([hop, sized, split], topic_of(HOP))
    inputs = [(at, record) for at in range(3) for record in ("m1", "m2")]
    assert content(batch)["hop_inputs"] == inputs


@pytest.mark.slow
@tried(150)
@given(read_events, st.data())
def test_no_bytes_whatever_do_harm(event: Event, data: st.DataObject) -> None:
    good = ENCODER.encode(event)
    at = data.draw(st.integers(5, len(good)))
    junk = data.draw(
        st.binary(max_size=8)
        | st.sampled_from([b"\xff" * 9 + b"\x01", b"\xfe" * 9 + b"\x01", b"\x80" * 12])
        | st.sampled_from([b"\xff\xff\xff\xff\x0f", b"\x01", b"\x03\x00", b"\x80\x89\x7a"])
    )
    changed = good[:at] + junk + good[at + data.draw(st.integers(0, 3)) :]
    together = decode([good, changed, good, changed], topic_of(event))
    alone = decode([changed], topic_of(event))
    assert together.events == 2 + 2 * alone.events
    assert alone.events + len(alone.dead_letters) == 1
    expected = [decode([v], topic_of(event)) for v in (good, changed, good, changed)]
    assert content(together) == content(Batch.concat(expected))


def test_values_of_several_partitions_are_decoded_in_one_go() -> None:
    values = [ENCODER.encode(MESSAGE), b"bad", None]
    batch = Decoder(IDS).decode(MESSAGES, [3, 0, 2], [7, 8, 9], values)
    assert batch.messages.select("partition", "position").rows() == [(3, 7)]
    assert [(one.partition, one.position) for one in batch.dead_letters] == [(0, 8), (2, 9)]


def test_what_is_wrong_does_not_slow_down_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise AssertionError("was read one by one")

    monkeypatch.setattr("lineage.codec.avro.reader.Reader.read", slow)
    batch = decode([b"bad", None, *[GOOD_VALUE] * 30])
    assert (batch.events, list(reasons(batch))) == (30, [100, 101])
