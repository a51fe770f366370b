"""Reads a list of real messages, such as the graphs that KONECT and SNAP publish."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from streams.simulate.errors import GraphError
from streams.simulate.world import company

_LINE = r"^(?P<sender>\S+)\s+(?P<recipient>\S+)(?:\s+\S+)?\s+(?P<time>\d{1,12})(?:\.\d*)?$"
_NAME_BYTES = 200


@dataclass(frozen=True)
class Graph:
    """Messages of a list, by time.

    messages: sender and to (numbers of members), sent_at (microseconds since 1970).
    member_ids: the members' ids by number, "member-" and the name that the list gives them.
    """

    messages: pl.DataFrame
    member_ids: pl.Series


def read_graph(path: Path) -> pl.DataFrame:
    """Read the messages of a list: sender, recipient (String), time (Int64, seconds), by time.

    path: plain or gzip text, one message a line: sender, recipient, an optional weight, and the
    Unix time last, separated by white space; lines that start with % or # are comments. Raises
    GraphError, with the line if one is at fault.
    """
    lines = pl.DataFrame({"text": _text(path).split("\n")}).with_row_index("line", offset=1)
    lines = lines.with_columns(pl.col("text").str.strip_chars())
    lines = lines.filter((pl.col("text") != "") & ~pl.col("text").str.contains(r"^[%#]"))
    parsed = lines.select("line", pl.col("text").str.extract_groups(_LINE).alias("of"))
    rows = parsed.unnest("of")
    bad = rows.filter(pl.col("time").is_null())
    if bad.height:
        raise GraphError(path, bad["line"][0], "this line is no message")
    names = pl.max_horizontal(pl.col("sender").str.len_bytes(), pl.col("recipient").str.len_bytes())
    long = rows.filter(names > _NAME_BYTES)
    if long.height:
        raise GraphError(path, long["line"][0], f"a name is longer than {_NAME_BYTES} bytes")
    if not rows.height:
        raise GraphError(path, None, "it holds no message")
    return rows.select("sender", "recipient", pl.col("time").cast(pl.Int64)).sort(
        "time", maintain_order=True
    )


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "broken gzip"
        raise GraphError(path, None, f"cannot be read: {why}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise GraphError(path, line, "this line is not UTF-8 text") from error


def place_in_time(rows: pl.DataFrame) -> Graph:
    """Put the messages of `read_graph` into the simulated time, which keeps their order.

    Their times are stretched or squeezed so that the first is sent at START and the last just
    before END: whatever its own years, a list meets every policy of the timeline.
    """
    names = pl.concat([rows["sender"], rows["recipient"].alias("sender")]).unique(
        maintain_order=True
    )
    number = pl.DataFrame({"name": names, "number": pl.int_range(names.len(), eager=True)})
    first, last = rows["time"][0], rows["time"][-1]
    pace = (company.END - 1 - company.START) / max(1, last - first)
    messages = (
        rows.join(
            number.rename({"name": "sender", "number": "from"}), "sender", maintain_order="left"
        )
        .join(
            number.rename({"name": "recipient", "number": "to"}), "recipient", maintain_order="left"
        )
        .select(
            sender="from",
            to="to",
            sent_at=company.START + ((pl.col("time") - first) * pace).cast(pl.Int64),
        )
    )
    return Graph(messages, "member-" + names)
