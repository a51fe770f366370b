"""Lineage in the headers of Kafka records."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lineage_sdk
from lineage_sdk import Record, extract, inject, kafka_record
from tests.properties import tried
from tests.sdk.jobs import reporting

TRACE = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
ONE = Record("crm.contacts", "contact-1")
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@pytest.fixture(autouse=True, scope="module")
def enabled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with reporting(tmp_path_factory.mktemp("headers")):
        yield


@tried(100)
@given(st.lists(st.builds(Record, names, names), min_size=1, max_size=8))
def test_what_is_put_in_comes_out(records: list[Record]) -> None:
    headers = inject([TRACE], records)
    assert headers[0] == TRACE
    assert extract(headers) == list(dict.fromkeys(records))


@pytest.mark.parametrize(
    "headers",
    [None, [], [TRACE], (TRACE,), {}, dict([TRACE])],
    ids=["none", "an empty list", "a list", "a tuple", "an empty dict", "a dict"],
)
def test_every_shape_that_clients_take(headers: Any) -> None:
    before = dict(headers or {})
    made = inject(headers, ONE)
    assert type(made) is (list if headers is None else type(headers))
    if isinstance(headers, (list, dict)):
        assert made is headers
    found = dict(made)
    assert found.pop("lineage-record") == b"1;crm.contacts:contact-1"
    assert found == before
    assert extract(made) == [ONE]


def test_what_was_said_before_is_replaced() -> None:
    headers = inject(inject([TRACE], [ONE] * 1), ("b", "2"))
    assert extract(headers) == [Record("b", "2")]
    assert len(headers) == 2


def test_values_of_text_and_names_of_bytes_are_read() -> None:
    assert extract({"lineage-record": "1;a:b"}) == [Record("a", "b")]
    assert extract([(b"lineage-record", b"1;a:b")]) == [Record("a", "b")]  # type: ignore[list-item]  # some clients


def test_a_header_is_bounded_in_number_and_size() -> None:
    many = [Record("d", str(n)) for n in range(100)]
    nothing: list[tuple[str, bytes]] = []
    headers = inject(nothing, many)
    assert extract(headers) == many[:64]
    assert dict(headers)["lineage-record-cut"] == b"36"
    large = [Record("é" * 128, f"{n:0128}") for n in range(64)]
    headers = inject([], large)
    assert len(dict(headers)["lineage-record"]) <= 8192
    assert len(extract(headers)) + int(dict(headers)["lineage-record-cut"]) == 64
    # And what fits says nothing of a cut before it.
    assert dict(inject(headers, ONE)).keys() == {"lineage-record"}


@pytest.mark.parametrize(
    "value",
    [b"", b"2;a:b", b"1;", b"1;a", b"1;:b", b"1;a:", b"\xff", b"1;" + b"a" * 300 + b":b", None, 5],
)
def test_what_is_no_such_value_names_nothing(value: Any) -> None:
    assert extract([("lineage-record", value)]) == []


@pytest.mark.parametrize("headers", [None, [], {}, 5, [5], [("a",)], "ab"])
def test_whatever_headers_are_they_are_no_error(headers: Any) -> None:
    assert extract(headers) == []


def test_offsets_of_streams_bootstrap() -> None:
    def passed(topic: str, partition: int, offset: int) -> list[tuple[str, bytes]]:
        prefix = "streams.bootstrap.lineage."
        return [
            (prefix + "topic", topic.encode()),
            (prefix + "partition", struct.pack(">i", partition)),
            (prefix + "offset", struct.pack(">q", offset)),
        ]

    headers = [TRACE, *passed("first", 0, 7), *passed("secönd", 3, 2**40)]
    assert extract(headers) == [Record("secönd", f"secönd-3-{2**40}")]
    assert extract(headers[:4]) == [kafka_record("first", 0, 7)]
    assert extract(headers[:3]) == []
    # Where our own header is, it counts.
    assert extract(inject(headers, ONE)) == [ONE]


@pytest.mark.parametrize(
    ("partition", "offset"), [(b"3", b"42"), (struct.pack(">i", 3), struct.pack(">q", 42))]
)
def test_offsets_of_k2k(partition: bytes, offset: bytes) -> None:
    headers = {"k2k_topic": b"orders", "k2k_partition": partition, "k2k_offset": offset}
    assert extract(headers) == [Record("orders", "orders-3-42")]
    assert extract({**headers, "k2k_offset": b"x"}) == []


def test_disabled_headers_stay_as_they_are(tmp_path: Path) -> None:
    with reporting(tmp_path, disabled=True):
        assert inject([TRACE], ONE) == [TRACE]
    lineage_sdk.configure()  # as the other tests here need it
