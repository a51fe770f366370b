"""Checks which inputs of hops held no message at the hop's instant."""

from __future__ import annotations

from typing import Final

import numpy as np

from lineage.audit.portions import portions
from lineage.audit.verify.checked import MEND_DERIVED, Checked, Examination, Problems
from lineage.database.statements import sql

_RECORDS: Final = (("hop_input", "record"), ("arrival", "record"), ("unmatched_input", "record"))


def check_unmatched(ex: Examination) -> Checked:
    """Check the inputs without a message, by the arrivals; all of them, or of a sample of hops."""
    problems = Problems()
    if ex.sample is not None:
        found = ex.rows(sql("audit/verify/wrong_unmatched_of_some"), vars(ex.sample))
        _tell(ex, problems, found)
        told = "inputs of a sample of hops"
    else:
        for part in portions(ex.connection, _RECORDS, 4 * ex.limits.verified_rows):
            _tell(ex, problems, ex.rows(sql("audit/verify/wrong_unmatched"), part))
        count = ex.number("SELECT count(*) FROM core.hop_input")
        told = f"all {count:,} inputs"
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in _counts(ex).items() if count)
    said = f"{told}; without a message: {reasons or 'none'}"
    return Checked("unmatched inputs", said, problems.all(), MEND_DERIVED)


def _counts(ex: Examination) -> dict[str, int]:
    (row,) = ex.rows(sql("audit/unmatched_counts"))
    names = ("seen later", "spelled like another", "never seen", "in other datasets")
    return dict(zip(names, row, strict=True))


def _tell(ex: Examination, problems: Problems, found: list[tuple[object, ...]]) -> None:
    for hop, record, stored in found:
        if problems.is_full:
            problems.add_more(1)
            continue
        of, what = (ex.names(np.array([key], np.int64)) for key in (hop, record))
        said = "is told as without a message, or twice, and is not" if stored else "is not told"
        problems.add(f"hop {of}, input {what}: {said}")
