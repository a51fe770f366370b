"""The overview: how much is recorded, what is flagged, and how datasets feed each other."""

from __future__ import annotations

from dataclasses import asdict

from streams.console.drawings.sankey import sankey
from streams.console.flows import datasets_of
from streams.console.page.contents import Asked, Page
from streams.console.page.rows import Rows, ask

__all__ = ["overview"]

_FLOWS_MAX = 60


def overview(asked: Asked) -> Page:
    """Return the overview."""
    totals = ask(asked.reader, "overview/totals")
    flags = ask(asked.reader, "overview/flags_by_rule")
    flows = asked.flows.flows(asked.reader)
    datasets = datasets_of(asked.reader)  # after the flows, so that it has all that these name
    drawn = flows[:_FLOWS_MAX]
    parts = {
        "flags": flags,
        "totals": totals,
        "flows": Rows.of([asdict(flow) for flow in flows]),
        "datasets": Rows.of([{**asdict(each), "mark": each.mark} for each in datasets.values()]),
    }
    named = {name for flow in flows for name in (flow.source, flow.target)}
    shown = {
        "totals": totals.rows[0],
        "undeclared": sorted(n for n in named if datasets[n].mark == "undeclared"),
        "datasets": datasets,
        "drawing": sankey(drawn, datasets),
        "left_out": len(flows) - len(drawn),
    }
    return Page("overview.html", "Overview", parts, shown)
