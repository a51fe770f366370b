import polars as pl

from streams.simulate.world.random_stream import (
    RandomStream,
    below,
    chance,
    random_bits,
    stream_key,
    unit,
)

ROWS = pl.DataFrame({"n": pl.int_range(10_000, eager=True)})
N = pl.col("n")


def column(expression: pl.Expr) -> pl.Series:
    return ROWS.select(value=expression)["value"]


def test_a_column_of_draws_is_the_same_as_one_draw_after_another() -> None:
    random_stream = RandomStream(stream_key(7, "x"))
    assert column(random_bits(stream_key(7, "x"), N)).to_list() == [
        random_stream.bits() for _ in range(ROWS.height)
    ]


def test_the_first_draws_are_those_of_the_published_splitmix64() -> None:
    # Its reference code, started at 1234567, adds the golden number before its first output.
    random_stream = RandomStream((1234567 + 0x9E3779B97F4A7C15) % 2**64)
    assert [random_stream.bits() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_streams_differ_by_seed_and_by_label() -> None:
    assert (
        len({stream_key(1, "a"), stream_key(1, "b"), stream_key(2, "a"), stream_key(1, "a", 0)})
        == 4
    )


def test_units_fill_zero_to_one_evenly() -> None:
    units = column(unit(stream_key(1, "unit"), N))
    counts = (units * 10).floor().value_counts()
    assert counts.height == 10
    assert counts["count"].is_between(850, 1150).all()


def test_whole_numbers_stay_below_their_limit() -> None:
    assert set(column(below(stream_key(1, "below"), N, 3))) == {0, 1, 2}
    assert column(below(stream_key(1, "below"), N, N + 1) <= N).all()


def test_a_chance_comes_as_often_as_it_says() -> None:
    assert 900 < column(chance(stream_key(1, "chance"), N, 10)).sum() < 1100
