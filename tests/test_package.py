"""How the package is put together: what it needs is declared, and locked."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
FILE: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = FILE["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = {
    "run": PROJECT["dependencies"],
    "dev": [*PROJECT["dependencies"], *EXTRAS["dev"]],
    "bench": [*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["bench"]],
}
FOLDERS = ("lineage", "schemas", "streams")


def locked(name: str) -> dict[str, tuple[Requirement, int]]:
    """Each package of a lock file: its pin, and how many hashes it has."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text()
    found: dict[str, tuple[Requirement, int]] = {}
    for entry in re.split(r"\n(?=\S)", text.replace("\\\n", "")):
        pin = Requirement(entry.split("--hash")[0].strip())
        found[canonicalize_name(pin.name)] = pin, entry.count("--hash=sha256:")
    return found


def third_party(folder: str) -> Iterator[str]:
    """The packages that the modules of a folder import."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_what_is_declared_is_locked_with_hashes(name: str) -> None:
    lock = locked(name)
    for text in DECLARED[name]:
        wanted = Requirement(text)
        pin, _ = lock[canonicalize_name(wanted.name)]
        (held,) = pin.specifier
        assert held.operator == "=="
        assert wanted.specifier.contains(held.version, prereleases=True), text
    assert all(hashes for _, hashes in lock.values())


def test_all_lock_files_hold_the_same_versions() -> None:
    run, dev, bench = (locked(name) for name in ("run", "dev", "bench"))
    # A package may be needed on more platforms where there are more that need it.
    assert all(pin.specifier == dev[name][0].specifier for name, (pin, _) in run.items())
    assert all(pin.specifier == bench[name][0].specifier for name, (pin, _) in dev.items())


def test_these_tests_run_with_what_is_locked() -> None:
    for pin, _ in locked("dev").values():
        if pin.marker is None or pin.marker.evaluate():
            assert pin.specifier.contains(version(pin.name), prereleases=True), pin


def test_what_is_imported_is_declared() -> None:
    ours = {*FOLDERS, *sys.stdlib_module_names}
    distributions = packages_distributions()
    imported = {
        name for folder in ("lineage", "schemas", "streams") for name in third_party(folder)
    }
    needed = {canonicalize_name(distributions[name][0]) for name in imported - ours}
    declared = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert needed - declared == set()


def test_what_the_sdk_imports_is_declared() -> None:
    sdk = tomllib.loads((ROOT / "sdk/pyproject.toml").read_text())["project"]
    wanted = [*sdk["dependencies"], *sdk["optional-dependencies"]["kafka"]]
    distributions = packages_distributions()
    imported = {*third_party("sdk/lineage_sdk"), *third_party("lineage/codec/contract")}
    outside = imported - {*sys.stdlib_module_names, "lineage_sdk"}
    needed = {canonicalize_name(distributions[name][0]) for name in outside}
    assert needed == {canonicalize_name(Requirement(text).name) for text in wanted}


def test_every_folder_of_code_is_packaged() -> None:
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in ("lineage", "streams")
        for path in (ROOT / package).rglob("__init__.py")
    }
    setuptools = FILE["tool"]["setuptools"]
    assert set(setuptools["packages"]) == folders | set(setuptools["package-dir"])


@pytest.mark.slow
def test_a_wheel_has_all_that_is_no_code(tmp_path: Path) -> None:
    # An editable install finds files where they lie; what pip builds has only what is declared.
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, tmp_path)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, "--wheel-dir", "made", "."], cwd=tmp_path, check=True)
    (made,) = (tmp_path / "made").glob("*.whl")
    wanted = {
        path.relative_to(ROOT).as_posix().replace("schemas/", "lineage/schemas/")
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - set(ZipFile(made).namelist()) == set()


USED = """
import lineage, schemas, streams
assert schemas.OURS and streams.OURS
with lineage.open(":memory:") as store:
    store.apply([])
    print(store.digest())
"""


@pytest.mark.slow
def test_a_project_may_have_folders_of_the_same_names(tmp_path: Path) -> None:
    for name in ("schemas", "streams"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("OURS = True\n")
    done = subprocess.run(
        [sys.executable, "-c", USED], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) == 64
