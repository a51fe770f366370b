import gzip
from pathlib import Path

import pytest

from streams.simulate import GraphError, simulate
from streams.simulate.world import company
from streams.simulate.world.graph import place_in_time, read_graph
from tests.streams.simulate.log_reader import events, expected, tracked

LIST = """% asym positive
# sender recipient weight time
1 2 1 1082008561

3 4 1082123439
ann\t1\t9\t1082000000.0
"""


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "list.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def many(folder: Path, count: int) -> Path:
    """A list whose messages come in bursts, not in the order of time."""
    rows = (f"{n % 37} {n * 7 % 41 + 50} 1 {1082008561 + n * n % 9973 * 60}" for n in range(count))
    return written(folder, gzip.compress("\n".join(rows).encode()))


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode(), mtime=0)])
def test_a_list_is_read_plain_or_packed_by_time_without_its_comments(pack, tmp_path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - two callables of different types
    rows = read_graph(written(tmp_path, pack(LIST))).rows()
    assert rows == [("ann", "1", 1082000000), ("1", "2", 1082008561), ("3", "4", 1082123439)]


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        ("1 2 1 100\n1 2 1 soon\n", 2, "no message"),
        ("% head\n\n1 100\n", 3, "no message"),
        ("1 2 3 4 100\n", 1, "no message"),
        ("1 2 -5\n", 1, "no message"),
        ("1 2 100\n" + "x" * 201 + " 2 100\n", 2, "longer than 200 bytes"),
        (b"1 2 100\n\xff 2 100\n", 2, "not UTF-8"),
        ("% nothing\n", None, "holds no message"),
        (gzip.compress(b"1 2 100\n", mtime=0)[:-6], None, "broken gzip"),
    ],
)
def test_a_bad_list_is_named_with_its_line(
    content: str | bytes, line: int | None, why: str, tmp_path: Path
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(GraphError, match=why) as caught:
        simulate(100, 1, tmp_path / "out", graph=path)
    assert caught.value.line == line
    assert str(path) in str(caught.value)
    assert line is None or f"line {line}:" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_list_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="No such file"):
        read_graph(tmp_path / "none.tsv")


def test_times_are_stretched_to_the_simulated_ones_in_their_order(tmp_path: Path) -> None:
    sent_at = place_in_time(read_graph(written(tmp_path, LIST))).messages["sent_at"]
    assert sent_at.is_sorted()
    assert sent_at[0] == company.START
    assert company.END - company.SECOND < sent_at[-1] < company.END
    first, second = sent_at[1] - sent_at[0], sent_at[2] - sent_at[1]
    assert first / second == pytest.approx(8561 / 114878, rel=1e-6)


def test_messages_of_one_instant_are_all_sent_at_the_start(tmp_path: Path) -> None:
    graph = place_in_time(read_graph(written(tmp_path, "1 2 5\n2 1 5\n")))
    assert graph.messages["sent_at"].to_list() == [company.START, company.START]


@pytest.mark.parametrize("mix", ["own", "worst"])
@pytest.mark.slow
def test_members_of_the_list_write_to_each_other_as_it_says(mix, tmp_path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a Literal and a Path
    path = many(tmp_path, 400)
    out = tmp_path / "out"
    summary = simulate(10_000, 5, out, graph=path, mix=mix)
    assert summary.messages == 400
    sent = {e["message_id"]: e for e in events(out) if e["event"] == "MessageSent"}
    assert len(sent) == 400
    pairs = [tuple(p["member_id"] for p in e["parties"]) for e in sent.values()]
    real = [pair for pair in pairs if pair[0].startswith("member-")]
    planted = sum(summary.leaks.values()) + sum(summary.near_misses.values())
    assert planted > 0
    rows = read_graph(path)[: len(real)]
    assert sorted(real) == sorted(
        (f"member-{a}", f"member-{b}") for a, b in rows.select("sender", "recipient").rows()
    )
    flags, arrivals, dead = tracked(out)
    assert flags == expected(out)
    assert (arrivals, dead) == (summary.arrivals, 0)


def test_the_number_of_messages_caps_the_list(tmp_path: Path) -> None:
    summary = simulate(50, 5, tmp_path / "out", graph=many(tmp_path, 400))
    assert summary.messages == summary.events["MessageSent"] == 50
