"""The flags: filtered, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from lineage import QueryError
from streams.console.page.contents import Asked, Page, whole_number
from streams.console.page.rows import Rows, ask, statement

__all__ = ["flags"]

FILTERS = (
    "rule",
    "severity",
    "dataset",
    "recipient",
    "message",
    "region",
    "tier",
    "since",
    "until",
)
ORDERS: Mapping[str, str] = {
    "newest": "f.first_at DESC",
    "oldest": "f.first_at",
    "severity": "f.severity DESC, f.first_at DESC",
    "arrivals": "f.arrivals DESC",
}
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
TIERS = ("FREE", "PREMIUM_CAREER", "PREMIUM_BUSINESS", "SALES_NAVIGATOR", "RECRUITER")
_PAGE_ROWS = 50
_SKIPPED_MAX = 10_000_000


def flags(asked: Asked) -> Page:
    """Return a page of the flags."""
    wanted: dict[str, object] = {name: asked.text(name) for name in FILTERS}
    for name in ("since", "until"):
        wanted[name] = _instant(name, asked.text(name))
    order = asked.text("order") or "newest"
    if order not in ORDERS:
        raise QueryError(f"order must be one of {', '.join(ORDERS)}")
    skipped = whole_number(asked.text("skip"), 0, _SKIPPED_MAX)
    most = asked.rows_max or _PAGE_ROWS
    found = _found(asked, wanted, order, skipped, most)
    (choices,) = ask(asked.reader, "flags/choices").rows
    given = {name: asked.text(name) for name in FILTERS if asked.text(name)}
    given["order"] = order
    shown = {
        "given": given,
        "choices": choices,
        "orders": ORDERS,
        "severities": SEVERITIES,
        "tiers": TIERS,
        "first": skipped + 1,
        "own_query": urlencode(given),
        "next": urlencode({**given, "skip": skipped + most}) if found.cut else None,
        "before": urlencode({**given, "skip": max(skipped - most, 0)}) if skipped else None,
    }
    return Page("flags.html", "Flags", {"flags": found}, shown)


def _found(asked: Asked, wanted: Mapping[str, object], order: str, skipped: int, most: int) -> Rows:
    own = dict(wanted)
    of_parties = ""
    region, tier = own.pop("region"), own.pop("tier")
    if region or tier:
        of_parties = statement("flags/of_parties")
        own |= {"region": region, "tier": tier}
    texts = {"of_parties": of_parties, "order": ORDERS[order]}
    return ask(asked.reader, "flags/flags", most, texts=texts, skipped=skipped, **own)


def _instant(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise QueryError(f"{name} must be a date, as 2024-09-18, or an instant") from None
