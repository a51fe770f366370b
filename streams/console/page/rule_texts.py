"""Finds the texts of rules in the documents of policies, as they were published."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lineage.policy.yaml import read_document
from streams.console.page.rows import Rows

__all__ = ["rule_texts", "with_rule_texts"]


def with_rule_texts(rows: Rows) -> Rows:
    """Return rows with the text of their `rule` as `when`, in the place of `document`."""
    columns = [*(name for name in rows.columns if name != "document"), "when"]
    found = [{**row, "when": rule_texts(row["document"]).get(row["rule"])} for row in rows]
    return Rows(columns, [{name: row[name] for name in columns} for row in found], rows.cut)


@lru_cache(maxsize=64)
def rule_texts(document: str) -> Mapping[str, str]:
    """Return the text of each rule; the document has passed its check when it was recorded."""
    read = read_document(document)
    rules = read["rules"] if isinstance(read, dict) else []
    every = rules if isinstance(rules, list) else []
    return {str(rule["id"]): str(rule["when"]) for rule in every if isinstance(rule, dict)}
