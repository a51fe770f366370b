"""Cut hops say what the whole hop says, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from lineage_sdk.hops.blocks import BlockLimits, blocks, grouped
from tests.properties import tried

Ids = Sequence[str]
ids = st.lists(st.text("abé😀", min_size=1, max_size=6), unique=True, max_size=30)
limits = st.builds(
    BlockLimits, ids=st.integers(2, 12), bytes=st.integers(1, 60), arrivals=st.integers(4, 40)
)


def flows(parts: Sequence[tuple[Ids, Ids]]) -> list[tuple[str, str]]:
    return [(one, other) for inputs, outputs in parts for one in inputs for other in outputs]


@tried(100)
@given(ids, limits)
def test_kept_ids_are_cut(inputs: list[str], limits: BlockLimits) -> None:
    parts = list(blocks(inputs, [], limits))
    assert [one for some, _ in parts for one in some] == inputs
    for some, outputs in parts:
        assert not outputs
        assert len(some) <= limits.ids
        assert len(some) == 1 or len("".join(some).encode()) <= limits.bytes


@tried(100)
@given(ids, ids.filter(bool), limits)
def test_a_cross_product_is_cut_into_blocks(
    inputs: list[str], outputs: list[str], limits: BlockLimits
) -> None:
    parts = list(blocks(inputs, outputs, limits)) if inputs else []
    # Each flow is told once.
    assert sorted(flows(parts)) == sorted((one, other) for one in inputs for other in outputs)
    for some, others in parts:
        assert others
        assert len(some) + len(others) <= limits.ids
        assert len(some) * len(others) <= limits.arrivals
        for side in (some, others):
            assert len(side) == 1 or len("".join(side).encode()) <= limits.bytes // 2


@tried(100)
@given(st.sets(st.tuples(*[st.sampled_from("abcdef")] * 2)))
def test_pairs_are_grouped_to_just_these_pairs(pairs: set[tuple[str, str]]) -> None:
    kept, groups = grouped(sorted(pairs))
    found = [*((one, one) for one in kept), *flows(groups)]
    assert len(found) == len(pairs)
    assert set(found) == pairs
    # As few hops as sets of outputs.
    assert len({frozenset(outputs) for _, outputs in groups}) == len(groups)
