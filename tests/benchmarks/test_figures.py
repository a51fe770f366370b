from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure, Outcome, read_results, write_results


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    outcome = Outcome(
        [Figure("own", "throughput", 12.5, "events/s")],
        series={"batches": [(0, 0.5), (10, 0.25)]},
        sizes={"history": 10},
        machine={"cores": 2, "versions": {"duckdb": "1.5.5"}},
        seconds=3.5,
    )
    path = tmp_path / "folder" / "results.json"
    write_results(path, {"history": outcome})
    found = read_results(path)["history"]
    assert found.figures == outcome.figures
    assert [tuple(point) for point in found.series["batches"]] == outcome.series["batches"]
    assert (found.sizes, found.machine, found.seconds) == (
        outcome.sizes,
        outcome.machine,
        outcome.seconds,
    )


def test_no_file_means_no_results(tmp_path: Path) -> None:
    assert read_results(tmp_path / "none.json") == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"parts": []}', '{"parts": {"live": {}}}'])
def test_another_file_is_not_taken_for_results(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=r"other\.json is no file of results"):
        read_results(path)
