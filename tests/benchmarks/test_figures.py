from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure, Outcome, read_results, write_outcome


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    outcome = Outcome(
        [Figure("own", "throughput", 12.5, "events/s"), Figure("own", "time, µs", 0.25)],
        points=[(0, 0.5), (10, 0.25)],
        sizes={"history": 10},
        machine={"cores": 2, "versions": {"duckdb": "1.5.5"}},
        seconds=3.5,
    )
    write_outcome(tmp_path / "folder", "history", outcome)
    assert read_results(tmp_path / "folder") == {"history": outcome}


def test_points_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    write_outcome(tmp_path, "history", Outcome([], points=[(0, 0.5)]))
    write_outcome(tmp_path, "history", Outcome([]))
    assert read_results(tmp_path) == {"history": Outcome([], points=[])}


def test_values_are_kept_with_more_digits_than_are_shown(tmp_path: Path) -> None:
    values = [1234567.891234, 1.23456789, 0.000123456789, 7.0]
    write_outcome(tmp_path, "live", Outcome([Figure("own", str(v), v) for v in values]))
    found = [figure.value for figure in read_results(tmp_path)["live"].figures]
    assert found == [1234567.8912, 1.2346, 0.000123457, 7]


def test_no_file_means_no_results(tmp_path: Path) -> None:
    assert read_results(tmp_path / "none") == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"figures": 1}', '{"figures": [[1, 2]]}'])
def test_another_file_is_not_taken_for_results(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=r"other\.json is no file of results"):
        read_results(tmp_path)
