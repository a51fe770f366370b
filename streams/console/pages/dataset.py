"""A dataset: what flows in and out, declarations, flags, whose messages, and its records."""

from __future__ import annotations

from dataclasses import asdict

from streams.console.drawings.neighbourhood import neighbourhood
from streams.console.flows import datasets_of
from streams.console.page.contents import Asked, MissingError, Page, whole_number
from streams.console.page.rows import Rows, ask

__all__ = ["dataset"]

_RECORDS_MAX = 50
_SAMPLE = 2_000
_DEPTH_MAX = 4
_ROWS_MAX = 10**15


def dataset(asked: Asked) -> Page:
    """Return the page of a dataset."""
    name = asked.name
    keys = ask(asked.reader, "dataset/key", dataset=name)
    if not keys.rows:
        raise MissingError(f"no event names a dataset {name[:256]!r}")
    key = keys.rows[0]["id"]
    flows = asked.flows.flows(asked.reader)
    datasets = datasets_of(asked.reader)  # after the flows, so that it has all that these name
    depth = max(whole_number(asked.text("depth"), 1, _DEPTH_MAX), 1)
    after = whole_number(asked.text("after"), -1, _ROWS_MAX)
    most = asked.rows_max or _RECORDS_MAX
    records = ask(asked.reader, "dataset/records", most, dataset=key, after=after)
    parts = {
        "records": records,
        "flows": Rows.of([asdict(flow) for flow in flows if name in (flow.source, flow.target)]),
        "declarations": ask(asked.reader, "dataset/declarations", dataset=key),
        "flags": ask(asked.reader, "dataset/flags", dataset=key),
        "parties": ask(asked.reader, "dataset/parties", _SAMPLE, dataset=key),
    }
    shown = {
        "dataset": datasets[name],
        "drawing": neighbourhood(name, flows, datasets, depth),
        "depth": depth,
        "wider": depth + 1 if depth < _DEPTH_MAX else None,
        "next": records.rows[-1]["number"] if records.cut else None,
        "is_first": after < 0,
        "sample": _SAMPLE,
    }
    return Page("dataset.html", f"Dataset {name}", parts, shown)
