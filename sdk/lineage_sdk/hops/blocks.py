"""Cuts what a hop moved into parts that each fit an event.

What the parts say together is what the whole says, and nothing more: without outputs the inputs
are cut; with outputs, of which every input flows into every one, the parts are the blocks of the
cross product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..contract.limits import HOP_ARRIVALS_MAX

Ids = Sequence[str]


@dataclass(frozen=True)
class BlockLimits:
    """Limits on one event: how many ids it names, and how many bytes these take."""

    ids: int = 10_000
    bytes: int = 512 * 1024
    arrivals: int = HOP_ARRIVALS_MAX


BLOCK_LIMITS = BlockLimits()


def blocks(
    inputs: Ids, outputs: Ids, limits: BlockLimits = BLOCK_LIMITS
) -> Iterator[tuple[Ids, Ids]]:
    """Yield the inputs and outputs of each event. Ids are distinct; no outputs: inputs are kept."""
    if not outputs:
        for some in _parts(inputs, limits.ids, limits.bytes):
            yield some, ()
        return
    half, size = max(1, limits.ids // 2), max(1, limits.bytes // 2)
    at_once = max(1, min(half, limits.arrivals // min(len(inputs), half)))
    for targets in _parts(outputs, at_once, size):
        for some in _parts(inputs, max(1, min(half, limits.arrivals // len(targets))), size):
            yield some, targets


def _parts(ids: Ids, count: int, size: int) -> Iterator[Ids]:
    for start in range(0, len(ids), count):
        yield from _halves(ids[start : start + count], size)


def _halves(ids: Ids, size: int) -> Iterator[Ids]:
    if len(ids) <= 1 or len("".join(ids).encode(errors="replace")) + 3 * len(ids) <= size:
        yield ids
        return
    middle = len(ids) // 2
    yield from _halves(ids[:middle], size)
    yield from _halves(ids[middle:], size)


def grouped(pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[tuple[list[str], Ids]]]:
    """Return what pairs say as ids that were kept, and inputs by the same set of outputs.

    Every input then flows into every output of its group, which is just what the pairs say.
    """
    flows: dict[str, dict[str, None]] = {}
    for one, other in pairs:
        flows.setdefault(one, {})[other] = None
    kept: list[str] = []
    groups: dict[frozenset[str], tuple[list[str], Ids]] = {}
    for one, others in flows.items():
        if others.keys() == {one}:
            kept.append(one)
        else:
            groups.setdefault(frozenset(others), ([], list(others)))[0].append(one)
    return kept, list(groups.values())
