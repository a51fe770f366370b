"""Docstrings: whatever has a public name says what it is, in every folder."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOPS = [ROOT / top for top in ("lineage", "streams", "schemas", "sdk/lineage_sdk")]
FOLDERS = sorted({path.parent for top in TOPS for path in top.rglob("*.py")})
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(node: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """The classes and functions with public names, and those in public classes."""
    for part in node.body:
        if isinstance(part, DEFINITIONS) and not part.name.startswith("_"):
            yield part
            if isinstance(part, ast.ClassDef):
                yield from public(part)


def silent(path: Path) -> Iterator[str]:
    """What has no docstring in the source; at run time a dataclass has one that says nothing."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    # An empty module only makes its folder a package.
    if module.body and not ast.get_docstring(module):
        yield f"{path}:1"
    for node in public(module):
        if not ast.get_docstring(node):
            yield f"{path}:{node.lineno} {node.name}"


def test_folders_in_folders_are_not_missed() -> None:
    assert {*TOPS, ROOT / "lineage/codec/avro", ROOT / "streams/cli"} <= set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_what_is_public_says_what_it_is(folder: Path) -> None:
    assert [one for path in sorted(folder.glob("*.py")) for one in silent(path)] == []


def test_what_says_nothing_is_found(tmp_path: Path) -> None:
    module = tmp_path / "m.py"
    module.write_text(
        '"""M."""\nfrom dataclasses import dataclass\n\n@dataclass\nclass A:\n    x: int\n\n'
        '    def f(self):\n        """F."""\n        def inner(): ...\n\n    def _g(self): ...\n'
        "\n    async def h(self): ...\n"
    )
    assert [one.split()[1] for one in silent(module)] == ["A", "h"]
