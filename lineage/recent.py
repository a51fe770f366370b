"""The numbers of the latest UUIDs: small batches, one soon after another, ask for them."""

from __future__ import annotations

from itertools import compress

import numpy as np

from lineage.arrays import Numbers, Truths
from lineage.uuids import UUID_BYTES, Uuids, is_v7

# So many are held; each takes some 200 bytes.
_HELD_MAX = 100_000
# A larger batch costs more to remember than to look up.
_BATCH_MAX = 20_000


class RecentUuids:
    """Every UUIDv7 of the store that begins with more than `since` does is here."""

    def __init__(self, since: int) -> None:
        """since: the first 64 bits of no UUIDv7 in the store are more."""
        self._since = since
        self._numbers: dict[bytes, int] = {}

    def covers(self, uuids: Uuids) -> Truths:
        """Which of some UUIDs are here if they are in the store."""
        return is_v7(uuids) & (uuids[:, 0] > self._since)

    def numbers(self, uuids: Uuids) -> Numbers:
        """Their numbers; 0 for those that are not here."""
        found = (self._numbers.get(key, 0) for key in _keys(uuids))
        return np.fromiter(found, np.int64, len(uuids))

    def add(self, uuids: Uuids, numbers: Numbers, latest: int) -> None:
        """Add the new ones of a batch; latest: like `since`, after it."""
        if len(uuids) > _BATCH_MAX:
            self._since = latest
            self._numbers.clear()
            return
        covered = np.flatnonzero(self.covers(uuids))
        self._numbers.update(zip(_keys(uuids[covered]), numbers[covered].tolist(), strict=True))
        if len(self._numbers) > _HELD_MAX:
            self._let_go()

    def _let_go(self) -> None:
        """Keep the later half, whenever it came: an id far ahead of its time is one of many."""
        heads = np.frombuffer(b"".join(self._numbers), dtype=np.uint64)[::2]
        middle = len(heads) // 2
        self._since = int(np.partition(heads, middle)[middle])
        later = (heads > self._since).tolist()
        self._numbers = dict(compress(self._numbers.items(), later))


def _keys(uuids: Uuids) -> list[bytes]:
    raw: list[bytes] = np.ascontiguousarray(uuids).view(f"V{UUID_BYTES}").ravel().tolist()
    return raw
