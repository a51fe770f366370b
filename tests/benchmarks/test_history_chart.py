from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarks.report.history_chart import history_chart, ticks

SVG = "{http://www.w3.org/2000/svg}"
BATCHES = [(x * 1000.0, 0.1) for x in range(50)] + [(50_000.0, 9.0)]


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (10_000_000, [0, 2e6, 4e6, 6e6, 8e6, 1e7]),
        (10_200_000, [0, 5e6, 10e6, 15e6]),
        (0.37, [0, 0.1, 0.2, 0.3, 0.4]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_ticks_are_round_and_reach_the_highest(highest: float, expected: list[float]) -> None:
    assert ticks(highest) == pytest.approx(expected)


def drawn() -> ElementTree.Element:
    return ElementTree.fromstring(history_chart(BATCHES))  # noqa: S314 - what we have just drawn


def test_every_batch_is_a_dot_inside_the_picture() -> None:
    dots = drawn().findall(f"{SVG}circle")
    assert len(dots) == len(BATCHES)
    assert all(0 < float(dot.attrib["cx"]) < 720 for dot in dots)
    assert all(0 < float(dot.attrib["cy"]) < 320 for dot in dots)


def test_a_stalled_batch_is_at_the_top_and_does_not_flatten_the_rest() -> None:
    *others, stalled = (float(dot.attrib["cy"]) for dot in drawn().findall(f"{SVG}circle"))
    assert stalled == 40
    assert all(140 < height < 160 for height in others)


def test_the_median_goes_past_a_stalled_batch() -> None:
    line = drawn().find(f"{SVG}polyline")
    assert line is not None
    heights = {point.split(",")[1] for point in line.attrib["points"].split()}
    assert len(heights) == 1
