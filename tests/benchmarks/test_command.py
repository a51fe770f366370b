"""The options, and what happens when a part fails or is missing something; nothing is measured."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from benchmarks import command
from benchmarks.environment import Environment, need_packages
from benchmarks.errors import BenchmarkError, MissingError
from benchmarks.figures import Figure, Outcome, read_results, write_outcome
from benchmarks.report.history_chart import history_chart
from benchmarks.report.tables import fill
from benchmarks.report.throughput_chart import throughput_bars, throughput_chart
from benchmarks.sizes import Sizes


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def measured(here: Environment, sizes: Sizes) -> Outcome:
    return Outcome([Figure("case", "events", sizes.replay)], sizes={"replay": sizes.replay})


def missing(here: Environment, sizes: Sizes) -> Outcome:
    raise MissingError("no Java")


def failing(here: Environment, sizes: Sizes) -> Outcome:
    (here.folder / "left.duckdb").write_text("")
    folders.append(here.folder)
    raise BenchmarkError("wrong flags")


folders: list[Path] = []


SUITES: dict[str, command.Suite] = {"replay": measured, "live": missing, "peers": failing}


def run(results: Path, *arguments: str, suites: Mapping[str, command.Suite] = SUITES) -> int:
    return command.main([*arguments, "--json", str(results)], suites)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def parts_in(folder: Path) -> set[str]:
    return set(read_results(folder))


def test_a_single_part_and_a_size(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(results, "replay", "--replay", "1_000") == 0
    assert parts_in(results) == {"replay"}
    assert "1,000" in capsys.readouterr().out


def test_parts_that_are_not_run_keep_their_results(results: Path) -> None:
    write_outcome(results, "history", Outcome([Figure("case", "events", 7)]))
    run(results, "replay", "--replay", "7")
    run(results, "replay", "--replay", "8")
    kept = read_results(results)
    assert {name: one.figures[0].value for name, one in kept.items()} == {"history": 7, "replay": 8}


def test_what_is_missing_is_said_and_the_rest_goes_on(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(results, "live", "replay") == 0
    assert "live is left out: no Java" in capsys.readouterr().err
    assert parts_in(results) == {"replay"}


def test_a_part_that_fails_has_no_figures_and_leaves_nothing_behind(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(results, "peers", "replay") == 1
    assert "peers failed: wrong flags" in capsys.readouterr().err
    assert parts_in(results) == {"replay"}
    assert not folders[-1].exists()


@pytest.mark.parametrize("part", ["history", "long"])
def test_what_takes_long_is_measured_only_where_it_is_asked_for(part: str, results: Path) -> None:
    suites = {"replay": measured, part: measured}
    run(results, suites=suites)
    assert parts_in(results) == {"replay"}
    run(results, part, suites=suites)
    assert parts_in(results) == {"replay", part}


@pytest.mark.slow
def test_a_simulated_log_is_kept_and_found_again(tmp_path: Path) -> None:
    told: list[str] = []
    with Environment("live", tmp_path, told.append) as one:
        log = one.log(300, "own", "avro")
    with Environment("replay", tmp_path, told.append) as other:
        assert other.log(300, "own", "avro") == log
        assert other.log(300, "own", "jsonl").folder != log.folder
    assert log.folder.is_dir()
    assert sum("simulating" in line for line in told) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "'nonsense' is no part"),
        (["--replay", "0"], "at least 1, not '0'"),
        (["--history", "many"], "at least 1, not 'many'"),
    ],
)
def test_bad_usage_is_told(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_document_has_marks_for_every_part() -> None:
    text = command.DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in command.SUITES if f"<!-- bench {name} -->" not in text] == []


def test_the_document_and_its_charts_have_the_results_that_are_kept() -> None:
    results = read_results(command.RESULTS)
    text = command.DOCUMENT.read_text(encoding="utf-8")
    assert fill(text, results) == text
    charts = {
        command.HISTORY: history_chart(results["history"].points),
        command.THROUGHPUT: throughput_chart(throughput_bars(results)),
    }
    assert {path: path.read_text(encoding="utf-8") for path in charts} == charts


def test_a_missing_package_is_named_with_what_gets_it() -> None:
    need_packages("json")
    with pytest.raises(MissingError, match=r"no_such_package.*pip install -e '\.\[bench\]'"):
        need_packages("json", "no_such_package")
