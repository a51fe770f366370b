"""Keys that a line says twice, and what is not JSON in fields that nobody knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.codec import from_events, from_json_lines
from lineage.codec.json.events import event_of_line
from tests.lineage.codec.examples import GOOD, HOP, MESSAGE, Event, content, reasons
from tests.lineage.codec.strategies import read_events
from tests.properties import tried
from tests.samples import sampled

HOP_LINE = orjson.dumps(HOP)
MESSAGE_LINE = orjson.dumps(MESSAGE)


def judged(line: bytes) -> str | None:
    """Why a line among good ones is a dead letter; the same as alone."""
    batch = from_json_lines([MESSAGE_LINE, line, HOP_LINE], "a.jsonl")
    reason = next(iter(reasons(batch).values()), None)
    assert batch.events == (3 if reason is None else 2)
    alone = event_of_line(line)
    assert alone == reason or (reason is None and not isinstance(alone, str))
    return reason


def more(line: bytes, text: str) -> bytes:
    """The line with more in its outermost object, at its end."""
    return line[:-1] + b", " + text.encode() + b"}"


TWICE = {
    "a target": (more(HOP_LINE, '"target": "b"'), "the key target"),
    "the same value": (more(HOP_LINE, '"target": "warehouse"'), "the key target"),
    "with white space": (more(HOP_LINE, '"target" \t : "b"'), "the key target"),
    "spelled another way": (more(HOP_LINE, '"t\\u0061rget": "b"'), "the key target"),
    "an event": (more(HOP_LINE, '"event": "RecordsMoved"'), 'the key "event"'),
    "an array": (more(HOP_LINE, '"inputs": []'), "the key inputs"),
    "parties": (more(MESSAGE_LINE, '"parties": []'), "the key parties"),
    "a party's role": (
        MESSAGE_LINE.replace(b'"role":"RECIPIENT"', b'"role":"SENDER","role":"RECIPIENT"'),
        "the key parties.role",
    ),
    "a claim's k": (HOP_LINE.replace(b'"k":50', b'"k":5,"k":50'), "the key declassification.k"),
    "what nobody knows": (more(HOP_LINE, '"secret": 1, "secret": 2'), "a key"),
    "what nobody knows in a party": (
        MESSAGE_LINE.replace(b'"role":"SENDER"', b'"role":"SENDER","secret":1,"secret":1'),
        "a key",
    ),
    "thrice": (more(HOP_LINE, '"job": "a", "job": "b"'), "the key job"),
    # The colon in a text makes up for the one that is not right behind its key.
    "hidden": (more(HOP_LINE, '"x": "\\":", "target" : "b"'), "the key target"),
}


@pytest.mark.parametrize("case", TWICE)
def test_a_key_that_is_given_twice_is_a_dead_letter(case: str) -> None:
    line, start = TWICE[case]
    assert orjson.loads(line)["event"]  # another parser takes it
    reason = judged(line)
    assert reason == f"{start} is given more than once, and which value is meant can't be told"


ONCE = [
    more(HOP_LINE, '"x": {"a": 1, "a": 2}'),
    more(HOP_LINE, '"x": [{"a": 1, "a": 2}], "y": "\\":\\":"'),
    more(HOP_LINE, '"x": ": and \\t:", "x\\": ": 1'),
    HOP_LINE.replace(b":", b" :").replace(b"2024-09-18T00 :00 :01", b"2024-09-18T00:00:01"),
    HOP_LINE.replace(b'"nightly"', b'"a\\":b : c"'),
    MESSAGE_LINE.replace(b'"SENDER"', b'"SENDER", "x": {"role": 1, "role": 2}'),
]


@pytest.mark.parametrize("line", ONCE)
def test_what_only_looks_like_one_is_not(line: bytes) -> None:
    assert judged(line) is None


def test_one_among_thousands_is_found() -> None:
    lines = [orjson.dumps({**MESSAGE, "message_id": f"m{i}"}) for i in range(2000)]
    # A line that lacks a key, and is a dead letter itself, must not make up for it.
    lines[1100] = lines[1100].replace(b'"tier":"FREE",', b"")
    lines[1101] = more(lines[1101], '"dataset": "elsewhere"')
    assert {at: reason[:12] for at, reason in reasons(from_json_lines(lines, "a")).items()} == {
        1101: "parties: tie",
        1102: "the key data",
    }


class Twice(list[tuple[str, Any]]):
    """An object as its text has it."""


def written(value: object, draw: Callable[[], str]) -> str:
    """JSON with any white space, and escapes where none are needed."""
    if isinstance(value, Twice):
        pairs = [written(key, draw) + draw() + ":" + draw() + written(item, draw)
                 for key, item in value]  # fmt: skip
        return "{" + (draw() + "," + draw()).join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(item, draw) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


@st.composite
def objects(draw: st.DrawFn, event: Event, depth: int = 0) -> tuple[Twice, bool]:
    """An object of the event's keys and some more, and whether one of them is there twice."""
    twice = False
    found = Twice()
    for key, value in event.items():
        items = value if isinstance(value, list) else [value]
        inner: Any = value
        if any(isinstance(item, dict) for item in items):
            drawn = [draw(objects(item, depth + 1)) for item in items]
            twice = twice or any(double for _, double in drawn)
            inner = [one for one, _ in drawn] if isinstance(value, list) else drawn[0][0]
        found.append((key, inner))
    texts = st.sampled_from(["", ":", '":', '\\":', "x", " :"])
    if draw(st.integers(0, 3)) == 0:
        nested = Twice([("a", 1), ("a", draw(texts)), (draw(texts), [Twice([("b", 1)])])])
        found.append(("unknown", nested))
    if draw(st.integers(0, 3)) == 0:
        found.append((draw(texts), draw(texts)))
    if draw(st.integers(0, 4)) == 0:
        found.insert(draw(st.integers(0, len(found))), draw(st.sampled_from(found)))
        twice = True
    return found, twice


@pytest.mark.slow
@tried(200)
@given(st.lists(read_events, min_size=1, max_size=3), st.data())
def test_no_repeated_key_is_ever_missed(events: list[Event], data: st.DataObject) -> None:
    def space() -> str:
        return str(data.draw(st.sampled_from(["", "", "", " ", "\t", " \r"])))

    drawn = [data.draw(objects(event)) for event in events]
    lines = [written(one, space).encode() for one, _ in drawn]
    wrong = [i for i, (_, twice) in enumerate(drawn) if twice]
    batch = from_json_lines(lines, "a.jsonl", first_position=0)
    assert list(reasons(batch)) == wrong
    assert all("more than once" in reason for reason in reasons(batch).values())
    good = [event for i, event in enumerate(events) if i not in wrong]
    assert content(batch) == content(from_events(good))
    assert [isinstance(event_of_line(line), str) for line in lines] == [t for _, t in drawn]


STRANGE = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    '"\\ud800"',
    '"\\udc00\\ud800"',
    "1" * 400,
]


@pytest.mark.parametrize("value", sampled(STRANGE, 3))
@pytest.mark.parametrize("event", GOOD, ids=lambda e: e["event"])
def test_what_is_not_json_in_an_unknown_field_is_ignored(event: Event, value: str) -> None:
    line = orjson.dumps(event)
    lines = [
        more(line, f'"score": {value}'),
        more(line, f'"scores": [{{"a": {value}}}]'),
        *(
            line.replace(at, f'{{"score": {value}, '.encode() + at[1:])
            for at in (b'{"role"', b'{"method"')
            if at in line
        ),
    ]
    assert content(from_json_lines(lines, "a")) == content(from_events([event] * len(lines)))
    for one in lines:
        found = event_of_line(one)
        assert not isinstance(found, str)
        assert content(from_events([found[1]])) == content(from_events([event]))


@pytest.mark.parametrize("value", sampled(STRANGE, 3))
def test_in_a_known_field_it_is_a_dead_letter(value: str) -> None:
    for event in GOOD:
        for name in event:
            line = json.dumps({**event, name: "@"}).replace('"@"', value).encode()
            assert judged(line)
    for name in ("method", "k"):
        line = HOP_LINE.replace(b'"declassification":{', f'"x":{{"{name}":1}},"y":{{'.encode())
        claim = json.dumps({"method": "m", "k": 1} | {name: "@"}).replace('"@"', value)
        assert judged(more(line, f'"declassification": {claim}'))


@pytest.mark.parametrize(
    "text",
    ['{"event": "RecordsMoved", "x": NaN}', '{"x": NaN}', "[NaN]", "NaN", "{NaN}", '"\\ud800"'],
)
def test_what_is_no_event_even_so_is_not_json(text: str) -> None:
    assert str(judged(text.encode())).startswith("not JSON: ")


def test_a_key_given_twice_beside_it_is_found_too() -> None:
    assert judged(more(HOP_LINE, '"x": NaN, "target": "b"'))


@pytest.mark.parametrize("depth", [500, 1020, 100_000])
def test_depth_does_no_harm(depth: int) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    judged(more(HOP_LINE, f'"x": {nested}'))
    judged(more(HOP_LINE, f'"x": {nested}, "y": NaN'))
