"""Spells and reads the addresses of pages: /message/ID, and with .json or .csv its rows."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["Address", "page_address", "read_address"]

_SUFFIXES = (".html", ".json", ".csv")
_PLAIN = frozenset({"", "flags", "policies", "questions", "health"})
_NAMED = frozenset({"message", "member", "dataset", "policy", "question"})


@dataclass(frozen=True)
class Address:
    """An address that is taken apart: the page, what it is of, and the form (html, json, csv)."""

    page: str
    name: str
    form: str

    @property
    def is_plain(self) -> bool:
        """Say whether the address is one that programs have, too."""
        return self.page in ("", "flags", "health") and self.form == "html"


def page_address(page: str, name: str = "") -> str:
    """Return the path of a page; `page_address(...) + ".json"` is that of its rows.

    An id can end as a suffix does, and be "." or "..", which browsers resolve.
    """
    if not name:
        return f"/{page}"
    odd = name.endswith(_SUFFIXES) or name in (".", "..")
    return f"/{page}/{quote(name, safe='')}{'.html' if odd else ''}"


def read_address(path: str) -> Address | None:
    """Take a path apart; None if it is of no page. The overview's rows are at /overview.json."""
    form = next((suffix for suffix in _SUFFIXES if path.endswith(suffix)), "")
    page, _, name = path.removesuffix(form).removeprefix("/").partition("/")
    if page == "overview":
        page = ""
    known = page in _NAMED if name else page in _PLAIN and path.count("/") == 1
    return Address(page, name, form.removeprefix(".") or "html") if known else None
