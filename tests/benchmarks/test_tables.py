from __future__ import annotations

import pytest

from benchmarks.figures import Figure, Outcome
from benchmarks.report.tables import aligned, fill, markdown, number, show, table, turned

FIGURES = [
    Figure("own", "events", 1234567),
    Figure("own", "throughput", 98765.4, "events/s"),
    Figure("worst", "events", 12),
    Figure("worst", "ratio", 1.2345),
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12, "12"),
        (1234567, "1,234,567"),
        (1234.56, "1,235"),
        (12.345, "12.35"),
        (1.5, "1.50"),
        (0.012345, "0.0123"),
        (-2.5, "-2.50"),
    ],
)
def test_numbers_have_the_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_a_table_has_a_row_a_case_and_a_column_a_quantity() -> None:
    made = table(FIGURES)
    assert made.columns == ["", "events", "throughput, events/s", "ratio"]
    assert made.rows == [["own", "1,234,567", "98,765", ""], ["worst", "12", "", "1.23"]]


def test_quantities_of_one_name_in_two_units_are_two_columns() -> None:
    made = table([Figure("a", "database", 5, "MiB"), Figure("a", "database", 7, "bytes/arrival")])
    assert made.rows == [["a", "5", "7"]]


def test_turning_twice_is_turning_not_at_all() -> None:
    assert turned(turned(table(FIGURES))) == table(FIGURES)


def test_piped_tables_are_aligned_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    show("a title", Outcome(FIGURES))
    assert capsys.readouterr().out.splitlines() == [
        "a title",
        "                            own  worst",
        "events                1,234,567     12",
        "throughput, events/s     98,765",
        "ratio                             1.23",
        "",
    ]


def test_aligned_numbers_are_flush_right() -> None:
    assert aligned(table(FIGURES[2:3])) == "       events\nworst      12\n"


def test_markdown_has_its_rule() -> None:
    assert markdown(table(FIGURES[2:3])) == "|  | events |\n| --- | ---: |\n| worst | 12 |\n"


DOCUMENT = """# Title
<!-- bench replay -->
old
<!-- end -->
between
<!-- bench live -->
old, too
<!-- end -->
after
"""


def test_tables_go_between_the_marks_and_nowhere_else() -> None:
    machine = {"cpu": "Some CPU", "cores": 2, "python": "3.11.7", "load": 0.1}
    outcome = Outcome(FIGURES[2:3], machine=machine, sizes={"replay": 150000})
    assert fill(DOCUMENT, {"replay": outcome}).splitlines() == [
        "# Title",
        "<!-- bench replay -->",
        "|  | worst |",
        "| --- | ---: |",
        "| events | 12 |",
        "",
        "On Some CPU, 2 cores; Python 3.11.7; load before it 0.1; sizes: replay 150,000.",
        "<!-- end -->",
        "between",
        "<!-- bench live -->",
        "Not measured yet.",
        "<!-- end -->",
        "after",
    ]


def test_filling_again_gives_the_same() -> None:
    results = {"live": Outcome(FIGURES)}
    once = fill(DOCUMENT, results)
    assert fill(once, results) == once
