from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarks.figures import Figure, Outcome
from benchmarks.report.throughput_chart import throughput_bars, throughput_chart

SVG = "{http://www.w3.org/2000/svg}"
RESULTS = {
    "replay": Outcome(
        [
            Figure("own .avro", "throughput", 1.0, "events/s"),
            Figure("worst .avro", "throughput", 200.0, "events/s"),
            Figure("worst .avro", "throughput", 7.0, "MB/s"),
        ]
    ),
    "peers": Outcome(
        [
            Figure("message-lineage", "throughput", 90.0, "events/s"),
            Figure("a <peer>", "throughput", 50.0, "events/s"),
        ]
    ),
}


def test_there_is_a_bar_for_each_that_was_measured() -> None:
    assert throughput_bars(RESULTS) == [
        ("replay, .avro", 200.0, True),
        ("a <peer>, from Kafka", 50.0, False),
    ]


def test_bars_are_as_long_as_their_figures() -> None:
    drawn = ElementTree.fromstring(throughput_chart(throughput_bars(RESULTS)))  # noqa: S314 - what we have just drawn
    widths = [float(bar.attrib["width"]) for bar in drawn.findall(f"{SVG}rect")[1:]]
    assert widths[0] == pytest.approx(4 * widths[1])
    assert "a <peer>, from Kafka" in {text.text for text in drawn.findall(f"{SVG}text")}
