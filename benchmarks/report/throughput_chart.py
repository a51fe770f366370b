"""Draws throughput: a bar for each way of recording the worst mix."""

from __future__ import annotations

from html import escape

from benchmarks.figures import Results

__all__ = ["throughput_bars", "throughput_chart"]

_WIDTH, _LEFT, _RIGHT, _TOP = 720, 230, 90, 40
_BAR, _GAP = 20, 10
_STYLE = (
    "text{font:12px sans-serif;fill:#57606a}.ours{fill:#0969da}.theirs{fill:#8c959f}"
    ".title{font-size:14px}"
)
_OURS = "message-lineage"

Bar = tuple[str, float, bool]
"""A label, events a second, whether it is ours."""


def throughput_bars(results: Results) -> list[Bar]:
    """Give the bars of what has been measured, ours first."""
    bars: list[Bar] = []
    for part, case, label in (
        ("long", "worst .avro", "replay, .avro, a long log"),
        ("replay", "worst .avro", "replay, .avro"),
        ("replay", "worst .jsonl", "replay, .jsonl"),
        ("live", "worst mix", "worker, from Kafka"),
    ):
        bars += [(label, rate, True) for name, rate in _rates(results, part) if name == case]
    bars += [
        (f"{name}, from Kafka", rate, False)
        for name, rate in _rates(results, "peers")
        if name != _OURS
    ]
    return bars


def _rates(results: Results, part: str) -> list[tuple[str, float]]:
    figures = results[part].figures if part in results else []
    return [
        (one.case, one.value)
        for one in figures
        if one.name == "throughput" and one.unit == "events/s"
    ]


def throughput_chart(bars: list[Bar]) -> str:
    """Draw the bars, one below the other."""
    highest = max(rate for _, rate, _ in bars)
    height = _TOP + len(bars) * (_BAR + _GAP) + _GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="{_GAP}" y="22">Events a second, worst mix, from bytes to '
        "committed flags</text>",
    ]
    for place, (label, rate, ours) in enumerate(bars):
        top = _TOP + place * (_BAR + _GAP)
        wide = (_WIDTH - _LEFT - _RIGHT) * rate / highest
        lines.append(
            f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(label)}</text>'
            f'<rect class="{"ours" if ours else "theirs"}" x="{_LEFT}" y="{top}" '
            f'width="{wide:.1f}" height="{_BAR}"/>'
            f'<text x="{_LEFT + wide + 8:.1f}" y="{top + 14}">{rate:,.0f}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"
