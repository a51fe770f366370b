"""Policy documents of a batch: parsed, or a dead letter."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import polars as pl

from lineage.errors import PolicyError
from lineage.identity import as_event
from lineage.policy import Policy, parse_policy
from schemas import POLICY_PUBLISHED, Batch, DeadLetter, canonical_json


def accept(batch: Batch) -> tuple[Batch, dict[str, Policy]]:
    """`batch` with each invalid policy turned into a dead letter, and the others by document."""
    policies: dict[str, Policy] = {}
    dead: list[DeadLetter] = []
    bad_rows: list[int] = []
    for row in batch.policies.iter_rows(named=True):
        parsed = _parse(row["document"])
        if isinstance(parsed, Policy):
            policies[row["document"]] = parsed
        else:
            bad_rows.append(row["row"])
            dead.append(_dead_letter(batch.policies, row, parsed))
    if not bad_rows:
        return batch, policies
    kept = batch.policies.filter(~pl.col("row").is_in(bad_rows))
    return replace(batch, policies=kept, dead_letters=(*batch.dead_letters, *dead)), policies


@lru_cache(maxsize=64)
def _parse(document: str) -> Policy | str:
    """The policy, or why it is none. Kept, since a log repeats what it publishes."""
    try:
        return parse_policy(document)
    except PolicyError as error:
        return error.reason


def _dead_letter(frame: pl.DataFrame, row: dict[str, Any], reason: str) -> DeadLetter:
    value = canonical_json(POLICY_PUBLISHED, as_event(POLICY_PUBLISHED, [frame], row["row"]))
    return DeadLetter.of(
        row["read_from"],
        row["partition"],
        row["position"],
        f"document: {reason}",
        value,
    )
