import json

import pytest
from hypothesis import given

from lineage.codec import EncodeError, by_name, canonical_json, from_events
from tests.lineage.codec.examples import FLAG, GOOD, HOP, MESSAGE, Event, content
from tests.lineage.codec.strategies import any_events, read_events


def canonical(event: Event) -> bytes:
    return canonical_json(by_name(event["event"]), event)


def test_a_hop_in_canonical_json() -> None:
    hop = {**HOP, "inputs": ["b", "a", "b"], "declassification": {"k": 5.0, "method": "é\n"}}
    del hop["outputs"]
    assert canonical({**hop, "outputs": []}).decode() == (
        '{"declassification":{"k":5,"method":"é\\n"},"event":"RecordsMoved","hop_id":"h1",'
        '"inputs":["a","b"],"job":"nightly","moved_at":"2024-09-18T00:00:01.500000Z",'
        '"operation":"COPY","outputs":[],"run_id":"r1","source":"inbox","target":"warehouse"}'
    )


def test_what_is_absent_is_null_and_what_is_not_known_is_left_out() -> None:
    hop = {name: value for name, value in HOP.items() if name != "declassification"}
    found = json.loads(canonical({**hop, "note": "x"}))
    assert found["declassification"] is None
    assert "note" not in found


def test_the_order_of_parties_stays() -> None:
    turned = {**MESSAGE, "parties": MESSAGE["parties"][::-1]}
    assert canonical(turned) != canonical(MESSAGE)


@pytest.mark.parametrize("event", [*GOOD, FLAG], ids=lambda e: e["event"])
def test_every_type_has_one(event: Event) -> None:
    assert set(json.loads(canonical(event))) == set(event)


def test_what_breaks_the_contract_has_none() -> None:
    with pytest.raises(EncodeError, match="inputs must be"):
        canonical({**HOP, "inputs": []})


@given(read_events)
def test_it_says_the_same_as_the_event(event: Event) -> None:
    again = json.loads(canonical(event))
    assert canonical(again) == canonical(event)
    tables, others = content(from_events([event])), content(from_events([again]))
    assert {n: sorted(rows) for n, rows in tables.items() if "hop_" in n} == {
        n: sorted(rows) for n, rows in others.items() if "hop_" in n
    }
    assert all(tables[name] == others[name] for name in tables if "hop_" not in name)


@given(any_events)
def test_the_order_of_fields_and_of_sets_does_not_matter(event: Event) -> None:
    turned = dict(reversed(event.items()))
    for name in ("inputs", "outputs"):
        if name in turned:
            turned[name] = [*reversed(turned[name]), *turned[name]]
    assert canonical(turned) == canonical(event)
