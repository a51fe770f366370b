from uuid import UUID

import polars as pl
import pytest

from streams.simulate.world import company
from streams.simulate.world.ids import member_id, member_ids, one_uuid7, uuid7
from streams.simulate.world.random_stream import RandomStream

AT = pl.Series("at", [company.START + n * 7_777_777 for n in range(1000)])
COLUMN = uuid7(AT, 42, pl.int_range(1000, eager=True)).to_list()
SINGLE = [one_uuid7(at, one_stream) for one_stream in [RandomStream(42)] for at in AT]


@pytest.mark.parametrize("made", [COLUMN, SINGLE], ids=["a column", "one by one"])
def test_ids_are_distinct_uuids_of_version_7_that_hold_their_instant(made: list[str]) -> None:
    assert len(set(made)) == 1000
    for at, text in zip(AT, made, strict=True):
        uuid = UUID(text)
        assert str(uuid) == text
        assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
        assert uuid.int >> 80 == at // 1000


def test_ids_sort_by_time() -> None:
    assert sorted(COLUMN) == COLUMN


def test_members_have_distinct_ids_whether_made_together_or_alone() -> None:
    ids = member_ids(0, 20_000)
    assert ids.n_unique() == 20_000
    assert ids[12_345] == member_id(12_345)
    assert member_ids(12_000, 500)[345] == member_id(12_345)
