"""Parses the policy documents of a batch; invalid ones become dead letters."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import polars as pl

from lineage.codec import POLICY_PUBLISHED, Batch, DeadLetter, canonical_json
from lineage.codec.fingerprint import as_events
from lineage.errors import PolicyError
from lineage.policy.parse import BUILT_IN_ID, Policy, parse_policy

_RESERVED = (
    f"policy_id: {BUILT_IN_ID} is the policy that holds before any is published; name it otherwise"
)


def accept(batch: Batch) -> tuple[Batch, dict[str, Policy]]:
    """Return `batch` with invalid policies as dead letters, and the valid ones by document."""
    policies: dict[str, Policy] = {}
    dead: list[DeadLetter] = []
    bad_rows: list[int] = []
    for row in batch.policies.iter_rows(named=True):
        parsed = _RESERVED if row["policy_id"] == BUILT_IN_ID else _parse(row["document"])
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
    """Return the policy, or why the document is none. Cached, since a log repeats documents."""
    try:
        return parse_policy(document)
    except PolicyError as error:
        return f"document: {error.reason}"


def _dead_letter(frame: pl.DataFrame, row: dict[str, Any], reason: str) -> DeadLetter:
    (event,) = as_events(POLICY_PUBLISHED, [frame], [row["row"]]).values()
    value = canonical_json(POLICY_PUBLISHED, event)
    return DeadLetter.of(
        row["read_from"],
        row["partition"],
        row["position"],
        reason,
        value,
    )
