"""The options, and what happens when a part fails or is missing something; nothing is measured."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import command
from benchmarks.environment import Surroundings, need_packages
from benchmarks.errors import BenchmarkError, MissingError
from benchmarks.figures import Figure, Outcome
from benchmarks.sizes import Sizes


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def measured(here: Surroundings, sizes: Sizes) -> Outcome:
    return Outcome([Figure("case", "events", sizes.replay)], sizes={"replay": sizes.replay})


def missing(here: Surroundings, sizes: Sizes) -> Outcome:
    raise MissingError("no Java")


def failing(here: Surroundings, sizes: Sizes) -> Outcome:
    (here.folder / "left.duckdb").write_text("")
    folders.append(here.folder)
    raise BenchmarkError("wrong flags")


folders: list[Path] = []


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "PARTS", {"replay": measured, "live": missing, "peers": failing})
    return tmp_path / "results.json"


def parts_in(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_text())["parts"]
    return found


def test_a_single_part_and_a_size(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["replay", "--replay", "1_000", "--json", str(results)]) == 0
    assert list(parts_in(results)) == ["replay"]
    assert "1,000" in capsys.readouterr().out


def test_parts_that_are_not_run_keep_their_results(results: Path) -> None:
    command.main(["replay", "--replay", "7", "--json", str(results)])
    kept = json.loads(results.read_text())
    kept["parts"]["history"] = kept["parts"]["replay"]
    results.write_text(json.dumps(kept))
    command.main(["replay", "--replay", "8", "--json", str(results)])
    assert list(parts_in(results)) == ["replay", "history"]
    assert kept["parts"]["history"] == parts_in(results)["history"]


def test_what_is_missing_is_said_and_the_rest_goes_on(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["live", "replay", "--json", str(results)]) == 0
    assert "live is left out: no Java" in capsys.readouterr().err
    assert list(parts_in(results)) == ["replay"]


def test_a_part_that_fails_has_no_figures_and_leaves_nothing_behind(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["peers", "replay", "--json", str(results)]) == 1
    assert "peers failed: wrong flags" in capsys.readouterr().err
    assert list(parts_in(results)) == ["replay"]
    assert not folders[-1].exists()


@pytest.mark.parametrize("part", ["history", "long"])
def test_what_takes_long_is_measured_only_where_it_is_asked_for(
    part: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PARTS", {"replay": measured, part: measured})
    command.main(["--json", str(results)])
    assert list(parts_in(results)) == ["replay"]
    command.main([part, "--json", str(results)])
    assert list(parts_in(results)) == ["replay", part]


@pytest.mark.slow
def test_a_simulated_log_is_kept_and_found_again(tmp_path: Path) -> None:
    told: list[str] = []
    with Surroundings("live", tmp_path, told.append) as one:
        log = one.log(300, "own", "avro")
    with Surroundings("replay", tmp_path, told.append) as other:
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
    assert [name for name in command.PARTS if f"<!-- bench {name} -->" not in text] == []


def test_a_missing_package_is_named_with_what_gets_it() -> None:
    need_packages("json")
    with pytest.raises(MissingError, match=r"no_such_package.*pip install -e '\.\[bench\]'"):
        need_packages("json", "no_such_package")
