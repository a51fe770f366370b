"""Container files of several types or days, read in the order in which things happened."""

from pathlib import Path

import pytest

from lineage import codec
from lineage.codec import Batch, read_log
from lineage.codec.contract.instants import text_of
from tests.lineage.codec.examples import CONSENT, HOP, MESSAGE, POLICY, Event, content

START = 1_700_000_000_000_000


def events(kind: Event, count: int, every: int, start: int = START) -> list[Event]:
    field = codec.by_name(kind["event"]).instant_field
    id_field = codec.by_name(kind["event"]).id_field
    return [{**kind, id_field: f"{i}", field: text_of(start + i * every)} for i in range(count)]


def write(folder: Path, **files: list[Event]) -> None:
    for name, some in files.items():
        codec.write_container(folder / f"{name}.avro", codec.by_name(some[0]["event"]), some)


@pytest.mark.slow
def test_what_happened_together_is_read_together(tmp_path: Path) -> None:
    files = {
        "a": events(MESSAGE, 2000, 3),
        "b": events(HOP, 6000, 1),
        "c": events(CONSENT, 10, 600),
        "d": events(POLICY, 2, 10**15),
    }
    write(tmp_path, **files)
    batches = list(read_log(tmp_path, batch_events=800))
    assert all(batch.events <= 800 for batch in batches)
    for batch in batches[1:-1]:
        sent, moved = batch.messages["sent_at"], batch.hops["moved_at"]
        assert abs(sent.to_physical().to_list()[-1] - moved.to_physical().to_list()[-1]) < 1000
    (whole,) = read_log(tmp_path, 10**6)
    alone = {name: Batch.concat(read_log(tmp_path / f"{name}.avro")) for name in files}
    assert content(whole)["messages"] == content(alone["a"])["messages"]
    for name, table in {"a": "messages", "b": "hops", "c": "consent_changes"}.items():
        found = [p for batch in batches for p in getattr(batch, table)["position"]]
        assert found == list(range(1, len(files[name]) + 1))
    inputs = [row[1] for batch in batches for row in content(batch)["hop_inputs"]]
    assert inputs == ["m1", "m2"] * 6000


def test_files_of_one_day_each_are_read_one_after_another(tmp_path: Path) -> None:
    days = [events(HOP, 1000, 1, START + day * 10**9) for day in range(4)]
    write(tmp_path, a=days[2], b=days[0], c=days[3], d=days[1])
    batches = list(read_log(tmp_path, batch_events=500))
    order = [Path(batch.hops["read_from"][0]).stem for batch in batches]
    assert list(dict.fromkeys(order)) == ["b", "d", "a", "c"]
    assert order == sorted(order, key="bdac".index)


def test_progress_is_told_as_blocks_are_read(tmp_path: Path) -> None:
    write(tmp_path, a=events(MESSAGE, 3000, 1), b=events(HOP, 3000, 1))
    told: list[int] = []
    for _ in read_log(tmp_path, 100, told.append):
        pass
    headers = 2 * 4000
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) - sum(told) < headers


def test_a_damaged_file_does_not_hold_up_the_others(tmp_path: Path) -> None:
    write(tmp_path, a=events(MESSAGE, 3000, 1), b=events(HOP, 3000, 1))
    data = (tmp_path / "a.avro").read_bytes()
    (tmp_path / "a.avro").write_bytes(data[:-20])
    batches = list(read_log(tmp_path, 400))
    assert sum(batch.hops.height for batch in batches) == 3000
    (letter,) = [letter for batch in batches for letter in batch.dead_letters]
    assert letter.reason.startswith("the file ends in the middle of a block")
    assert 2000 < sum(batch.messages.height for batch in batches) < 3000
