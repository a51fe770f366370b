"""The flags that a policy document would add or take away, in batches."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from lineage.audit.whatif.whatif import CHANGES_SCHEMA, WhatIf

__all__ = ["FlagChanges"]


class FlagChanges:
    """Flags that would be new or gone: `change` (NEW, GONE), then the columns of `flag`."""

    def __init__(self, whatif: WhatIf) -> None:
        self._whatif = whatif

    @property
    def schema(self) -> pa.Schema:
        """Return the columns."""
        return CHANGES_SCHEMA

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the flags in parts of the limits' size. Raises PolicyError."""
        for part in self._whatif.changes():
            yield from part.to_arrow().cast(CHANGES_SCHEMA).to_batches()
