"""One contract: the SDK refuses what the tracker refuses, in the same words, by the same files."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given

from lineage.codec import from_events
from lineage.codec.contract.events import INPUTS
from lineage_sdk import EventError, SdkError, builders, wrong
from tests.lineage.codec.examples import GOOD, HOP, MESSAGE, Event, without
from tests.lineage.codec.strategies import near_events
from tests.properties import tried
from tests.sdk.jobs import ROOT, finished
from tests.stores import new_store

SDK = ROOT / "sdk" / "lineage_sdk"


def reason_of(event: object) -> str | None:
    """Why the tracker makes an event a dead letter."""
    letters = from_events([event]).dead_letters  # type: ignore[list-item]  # whatever it is
    return letters[0].reason if letters else None


@tried(100)
@given(near_events())
def test_the_sentence_is_the_trackers(event: Event) -> None:
    assert wrong(event) == reason_of(event)


@pytest.mark.parametrize(
    "event",
    [
        5,
        None,
        [HOP],
        without(HOP, "event"),
        {"event": "FlagRaised"},
        {"event": ["x"]},
        {"event": "MessageRead"},
        {**HOP, "inputs": [str(n) for n in range(2000)], "outputs": [str(n) for n in range(2000)]},
        {**MESSAGE, "sent_at": "2016-12-31T23:59:60Z"},
    ],
)
def test_what_is_no_such_event_has_the_same_sentence_too(event: object) -> None:
    assert wrong(event) == reason_of(event)
    assert wrong(event)


def test_a_store_gives_the_same_sentence() -> None:
    bad = {**HOP, "operation": "MELT"}
    with new_store() as store:
        store.apply([bad])
        ((reason,),) = store.sql("SELECT reason FROM dead_letter").fetchall()
    assert wrong(bad) == reason


def test_good_events_are_taken() -> None:
    assert {event["event"] for event in GOOD} == {event.name for event in INPUTS}
    assert [wrong(event) for event in GOOD] == [None] * len(GOOD)


def test_a_builder_raises_the_reason() -> None:
    with pytest.raises(EventError) as told:
        builders.dataset_declared("t", "HEAP", strict=True)  # type: ignore[arg-type]  # wrong on purpose
    assert str(told.value) == reason_of({**GOOD[3], "kind": "HEAP"})
    assert isinstance(told.value, SdkError)


def test_the_files_are_the_trackers() -> None:
    for name, origin in (("contract", "lineage/codec/contract"), ("schemas", "schemas")):
        assert (SDK / name).is_symlink()
        assert (SDK / name).resolve() == (ROOT / origin).resolve()


def test_the_contract_imports_itself_and_the_standard_library_alone() -> None:
    for path in (SDK / "contract").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in {*sys.stdlib_module_names, "rfc8785"}, path


LOADED = """
import sys
before = set(sys.modules)
import lineage_sdk
print(sorted({name.split(".")[0] for name in set(sys.modules) - before}))
"""


def test_to_import_it_loads_nothing_heavy() -> None:
    out, _ = finished(LOADED)
    loaded = set(ast.literal_eval(out))
    assert loaded <= {*sys.stdlib_module_names, "lineage_sdk"}
    # Each of these takes longer than all that is needed.
    assert not loaded & {"asyncio", "hashlib", "http", "multiprocessing", "random", "unittest"}


@pytest.mark.slow
def test_a_wheel_and_a_source_distribution_have_all_of_it(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for folder in ("sdk", "schemas", "lineage/codec/contract"):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True, ignore=ignore)
    made = tmp_path / "made"
    build = "from setuptools.build_meta import build_sdist, build_wheel; import sys; "
    build += "to = sys.argv[1]; build_sdist(to); build_wheel(to)"
    made.mkdir()
    subprocess.run([sys.executable, "-c", build, made], cwd=tmp_path / "sdk", check=True)
    (wheel,), (source,) = made.glob("*.whl"), made.glob("*.tar.gz")
    wanted = {
        (Path(folder) / name).relative_to(SDK.parent).as_posix()
        for folder, _, names in os.walk(SDK, followlinks=True)
        if not folder.endswith("__pycache__")
        for name in names
    }
    assert {"lineage_sdk/contract/events.py", "lineage_sdk/schemas/ids.json"} <= wanted
    assert {"lineage_sdk/py.typed", "lineage_sdk/schemas/records_moved.avsc"} <= wanted
    assert wanted - set(ZipFile(wheel).namelist()) == set()
    with tarfile.open(source) as archive:
        members = archive.getmembers()
    assert not any(member.issym() for member in members)
    assert wanted - {member.name.partition("/")[2] for member in members} == set()
    # And it works from there, with nothing else beside it.
    to = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*pip, to, wheel], check=True)
    code = "import lineage_sdk as s; print(s.__file__, s.wrong({'event': 'RecordsMoved'}))"
    out, _ = finished(code, PYTHONPATH=str(to))
    assert out.startswith(str(to))
    assert "hop_id must be" in out
