"""A member: their latest messages, consents over time, and where these messages went."""

from __future__ import annotations

from streams.console.page import Asked, MissingError, Page
from streams.console.rows import Rows, ask

__all__ = ["member"]

_MESSAGES_MAX = 50
_CONSENTS_MAX = 200


def member(asked: Asked) -> Page:
    """Return the page of a member."""
    keys = ask(asked.reader, "member_key", member=asked.name)
    if not keys.rows:
        raise MissingError(f"no member has the id {asked.name[:256]!r}")
    key = keys.rows[0]["id"]
    messages = ask(asked.reader, "member_messages", asked.rows_max or _MESSAGES_MAX, member=key)
    consents = ask(asked.reader, "member_consents", asked.rows_max or _CONSENTS_MAX, member=key)
    places = sorted({row["key"] for row in messages})
    texts = {"keys": ", ".join(map(str, places)) or "-1"}
    reach = ask(asked.reader, "member_reach", texts=texts, member=key)
    own = [{name: value for name, value in row.items() if name != "key"} for row in messages]
    parts = {
        "messages": Rows(messages.columns[:-1], own, messages.cut),
        "consents": consents,
        "reach": reach,
    }
    return Page("member.html", f"Member {asked.name}", parts, {"id_text": asked.name})
