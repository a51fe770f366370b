"""A member: their latest messages, consents over time, and where these messages went."""

from __future__ import annotations

from streams.console.page.contents import Asked, MissingError, Page
from streams.console.page.rows import Rows, ask

__all__ = ["member"]

_MESSAGES_MAX = 50
_CONSENTS_MAX = 200


def member(asked: Asked) -> Page:
    """Return the page of a member."""
    keys = ask(asked.reader, "member/key", member=asked.name)
    if not keys.rows:
        raise MissingError(f"no member has the id {asked.name[:256]!r}")
    key = keys.rows[0]["id"]
    own = ask(asked.reader, "member/parts", asked.rows_max or _MESSAGES_MAX, member=key)
    consents = ask(asked.reader, "member/consents", asked.rows_max or _CONSENTS_MAX, member=key)
    texts = {"keys": ", ".join(str(row["message"]) for row in own) or "-1"}
    part_of = {row["message"]: row for row in own}
    messages = [
        {
            name: value
            for name, value in {**row, **part_of[row["message"]]}.items()
            if name != "message"
        }
        for row in ask(asked.reader, "member/messages", texts=texts)
    ]
    reach = ask(asked.reader, "member/reach", texts=texts, member=key)
    parts = {
        "messages": Rows(tuple(messages[0]) if messages else (), messages, own.cut),
        "consents": consents,
        "reach": reach,
    }
    return Page("member.html", f"Member {asked.name}", parts, {"id_text": asked.name})
