"""Content fingerprints of events: texts by which two versions of one event are compared."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from lineage.codec import EventType
from lineage.codec.batch import PROVENANCE

_NOT_CONTENT = ("row", *PROVENANCE)


def contents(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Return `row` and `content`, a text that is equal for two events exactly if their content is.

    frames: a batch's table of one event type, and its child tables.
    """
    parent, *children = frames
    joined = parent
    for i, child in enumerate(children):
        values = [name for name in sorted(child.columns) if name not in _NOT_CONTENT]
        lists = (
            child.sort("row", *(["ordinal"] if "ordinal" in values else values))
            .group_by("row", maintain_order=True)
            .agg(pl.struct(values).alias(f"child{i}"))
        )
        joined = joined.join(lists, on="row", how="left")
    values = [name for name in sorted(joined.columns) if name not in _NOT_CONTENT]
    return joined.select("row", content=pl.struct(values).struct.json_encode())


def as_events(
    event: EventType, frames: list[pl.DataFrame], rows: Iterable[int]
) -> dict[int, dict[str, object]]:
    """Return the events in some rows of `frames`, in the JSON spelling, by row.

    frames: as those of `contents`.
    """
    wanted = pl.Series(list(rows), dtype=frames[0]["row"].dtype).implode()
    parent, *children = (frame.filter(pl.col("row").is_in(wanted)) for frame in frames)
    instants = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
    items = [_by_row(child) for child in children]
    return {
        values["row"]: _as_event(event, values, [each.get(values["row"], []) for each in items])
        for values in parent.with_columns(instants).iter_rows(named=True)
    }


def _by_row(child: pl.DataFrame) -> dict[int, list[dict[str, object]]]:
    """Group the rows of a child table by `row`, in their order, without `row` and `ordinal`."""
    ordered = child.sort("row", "ordinal") if "ordinal" in child.columns else child
    found: dict[int, list[dict[str, object]]] = {}
    for values in ordered.iter_rows(named=True):
        row = values.pop("row")
        values.pop("ordinal", None)
        found.setdefault(row, []).append(values)
    return found


def _as_event(
    event: EventType, values: dict[str, object], children: list[list[dict[str, object]]]
) -> dict[str, object]:
    value: dict[str, object] = {"event": event.name}
    of_array = iter(children)
    for field in event.fields:
        if field.kind == "records":
            value[field.name] = next(of_array)
        elif field.kind == "ids":
            value[field.name] = [item["record_id"] for item in next(of_array)]
        elif field.kind == "record":
            record = {inner.name: values[inner.name] for inner in field.fields}
            value[field.name] = None if set(record.values()) == {None} else record
        else:
            value[field.name] = values[field.name]
    return value
