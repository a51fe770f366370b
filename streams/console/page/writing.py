"""Writes pages as HTML, and the rows behind them as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from streams.console.address import page_address
from streams.console.page.contents import Page
from streams.console.page.rows import Rows
from streams.console.words import minutes
from streams.json_values import csv_value, jsonable

__all__ = ["as_csv", "as_html", "as_json", "template"]


def as_html(page: Page, address: str, query: str) -> str:
    """Write a page. address: its path without a suffix; query: of its address, with the `?`."""
    return template(
        page.template,
        title=page.title,
        parts=page.parts,
        address=address,
        rows_address="/overview" if address == "/" else address,
        query=query,
        **page.shown,
    )


def as_json(page: Page) -> str:
    """Write all parts: {"title": …, "parts": {name: {"columns", "rows", "cut"}}}."""
    parts = {
        name: {
            "columns": list(rows.columns),
            "rows": [{key: jsonable(value) for key, value in row.items()} for row in rows],
            "cut": rows.cut,
        }
        for name, rows in page.parts.items()
    }
    return json.dumps({"title": page.title, "parts": parts}, ensure_ascii=False)


def as_csv(page: Page) -> tuple[str, bool]:
    """Write the first part, and say whether it is cut."""
    rows: Rows = next(iter(page.parts.values()))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.columns)
    for row in rows:
        writer.writerow(["" if v is None else csv_value(v) for v in row.values()])
    return text.getvalue(), rows.cut


def template(name: str, **shown: object) -> str:
    """Write a template."""
    return _environment().get_template(name).render(**shown)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("streams.console"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["page"] = page_address
    environment.filters |= {"at": minutes, "count": "{:,}".format, "spelled": _value}
    return environment


def _value(value: object) -> str:
    """Spell a value of an answer for people."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return minutes(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(jsonable(value), ensure_ascii=False)
    return str(jsonable(value))
