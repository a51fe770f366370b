"""Policies: each version, what changed from the one before, and what it flags."""

from __future__ import annotations

import difflib

from streams.console.page.contents import Asked, MissingError, Page
from streams.console.page.rows import ask
from streams.console.page.rule_texts import with_rule_texts

__all__ = ["policies", "policy"]


def policies(asked: Asked) -> Page:
    """Return the list of policies."""
    return Page("policies.html", "Policies", {"policies": ask(asked.reader, "policy/policies")})


def policy(asked: Asked) -> Page:
    """Return the page of a policy."""
    found = ask(asked.reader, "policy/documents", policy=asked.name)
    if not found.rows:
        raise MissingError(f"no policy has the id {asked.name[:256]!r}")
    row = found.rows[0]
    changes = [
        (line[0], line[2:])
        for line in difflib.ndiff(
            (row["document_before"] or "").splitlines(), (row["document"] or "").splitlines()
        )
        if line[0] != "?"
    ]
    rules = with_rule_texts(ask(asked.reader, "policy/rules", policy=asked.name))
    parts = {"rules": rules, "policy": found}
    shown = {"policy": row, "changes": changes if row["policy_before"] else []}
    return Page("policy.html", f"Policy {asked.name}", parts, shown)
