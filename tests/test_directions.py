"""Imports: arrows between the rooms point one way, and the heart knows no Kafka."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
KAFKA = {"faust", "kafka", "aiokafka", "confluent_kafka", "mode"}
# What lineage has no business with: Kafka, the web, and what is not in its arguments.
OUTSIDE = KAFKA | {"streams", "schemas", "os", "time", "random", "uuid", "socket", "http", "urllib"}
# Of os what has a file survive a loss of power: nothing of the environment.
DURABLE = {"os.O_RDONLY", "os.close", "os.fsync", "os.open"}
CLOCKS = {"now", "utcnow", "today", "monotonic", "perf_counter"}
# The rooms of lineage, each built on those before it. The modules beside them (`errors`, `arrays`,
# `uuids`, `limits`) are for every room but `codec`.
ROOMS = (
    *("codec", "policy", "database", "ingest", "keys", "reach", "judge", "audit", "store"),
    "remote",
)
# The one room that speaks HTTP, since it asks a store that is elsewhere. Nothing else of lineage
# imports it, but `lineage.connect` when it is called.
HTTP = {"remote": {"http", "urllib"}}
# The rooms of streams, and what each is built on.
STREAMS = {
    "kafka": {"errors"},
    "broker": {"errors"},
    "simulate": {"errors"},
    "serve": {"errors", "json_values"},
    "console": {"errors", "json_values", "serve"},
    "quack": {"errors", "serve"},
    "metrics": {"errors", "serve"},
    "alerts": {"errors"},
    "worker": {"errors", "kafka", "serve", "console", "quack", "metrics", "alerts"},
    "cli": {
        "errors",
        "json_values",
        "kafka",
        "broker",
        "simulate",
        "serve",
        "console",
        "quack",
        "metrics",
        "alerts",
        "worker",
        "demo",
    },
}
# The rooms within a room, and what of that room each is built on.
WITHIN = {
    "lineage.audit.digest": {"portions"},
    "lineage.audit.questions": set(),
    "lineage.audit.select_check": set(),
    "lineage.audit.verify": {"digest", "portions"},
    "lineage.audit.whatif": set(),
    "lineage.codec.contract": {"errors"},
    "lineage.codec.avro": {
        "batch",
        "bisect",
        "contract",
        "errors",
        "source_names",
        "tables",
        "wire",
    },
    "lineage.codec.json": {"batch", "bisect", "contract", "errors", "source_names", "tables"},
    "lineage.codec.log": {"avro", "json", "batch", "contract", "errors", "source_names"}
    | {"tables"},
    "lineage.database.schema": set(),
    "lineage.database.storage": set(),
    "lineage.policy.rules": set(),
    "streams.cli.output": {"errors"},
    "streams.cli.commands": {"answer_rows", "errors", "live", "options", "output", "process_limits"}
    | {"reader", "serving"},
    "streams.console.drawings": {"flows"},
    "streams.console.page": {"address", "flows", "words"},
    "streams.console.pages": {"drawings", "flows", "page", "words"},
    "streams.kafka.settings": {"connection"},
    "streams.kafka.fetch": {"connection", "limits", "records"},
    "streams.kafka.topics": {"admin", "connection", "fetch", "limits", "records"},
    "streams.kafka.dead_letters": {"admin", "connection", "limits", "records", "topics"},
    "streams.kafka.registry": {"admin", "connection", "fetch", "limits", "topics"},
    "streams.serve.protocol": {"limits", "work"},
    "streams.simulate.world": {"errors"},
    "streams.simulate.leaks": {"errors", "world"},
    "streams.worker.configuration": {"limits"},
    "streams.worker.reports": {"configuration", "limits"},
    "streams.worker.pipeline": {"configuration", "limits", "reports"},
    "streams.worker.start": {"configuration", "pipeline"},
}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(parsed(path)))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """What a module imports, anywhere in it: modules, and names that may be modules."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_of(path: Path, package: str) -> set[str]:
    """The rooms, or modules beside them, of the package that a module imports."""
    inside = f"{package}."
    names = (name.removeprefix(inside) for name in imported(path) if name.startswith(inside))
    return {name.split(".")[0] for name in names}


def clock_readings(path: Path) -> Iterator[str]:
    """Calls such as datetime.now(), date.today() and time.monotonic()."""
    for node in nodes(path):
        if isinstance(node, ast.Attribute) and (node.attr in CLOCKS or _is_time(node)):
            yield f"{path.name}:{node.lineno}"


def _is_time(node: ast.Attribute) -> bool:
    return ast.unparse(node) == "time.time"


def test_the_heart_knows_nothing_of_what_is_around_it() -> None:
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("lineage")
        for name in imported(path)
        if name.split(".")[0] in OUTSIDE - HTTP.get(path.parent.name, set()) and name not in DURABLE
    }
    assert found == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_built_on_those_before_it(room: str) -> None:
    later = set(ROOMS[ROOMS.index(room) + 1 :])
    if room == "codec":
        later |= {"errors", "arrays", "uuids", "limits"}
    paths = modules(f"lineage/{room}")
    assert paths
    assert {path.name: bad for path in paths if (bad := rooms_of(path, "lineage") & later)} == {}


def test_codec_needs_no_database() -> None:
    assert [path for path in modules("lineage/codec") if "duckdb" in {*imported(path)}] == []


@pytest.mark.parametrize("room", sorted(STREAMS))
def test_streams_are_built_the_same_way(room: str) -> None:
    allowed = STREAMS[room] | {room}
    paths = modules(f"streams/{room}")
    assert paths
    assert {path.name: bad for path in paths if (bad := rooms_of(path, "streams") - allowed)} == {}


@pytest.mark.parametrize("inner", sorted(WITHIN))
def test_a_room_within_a_room_needs_nothing_from_above_it(inner: str) -> None:
    outer, _, name = inner.rpartition(".")
    allowed = WITHIN[inner] | {name}
    paths = modules(inner.replace(".", "/"))
    assert paths
    assert {path.name: bad for path in paths if (bad := rooms_of(path, outer) - allowed)} == {}


def test_every_folder_is_a_room() -> None:
    for package, rooms in (("lineage", ROOMS), ("streams", STREAMS)):
        folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
        assert folders == set(rooms)
    inner = {
        path.parent
        for package in ("lineage", "streams")
        for path in (ROOT / package).glob("*/*/__init__.py")
    }
    assert {".".join(path.relative_to(ROOT).parts) for path in inner} == set(WITHIN)


def test_schemas_are_data_alone() -> None:
    assert [path.name for path in modules("schemas")] == ["__init__.py"]
    assert list(imported(ROOT / "schemas" / "__init__.py")) == []


@pytest.mark.parametrize("folder", ["lineage", "tests/lineage"])
def test_the_heart_and_its_tests_read_no_clock(folder: str) -> None:
    assert [place for path in modules(folder) for place in clock_readings(path)] == []


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    text = "from lineage.reach import fixpoint\nfrom lineage import store\n"
    bad.write_text(text + "def f():\n    import os.path\n    return datetime.now()\n")
    assert set(imported(bad)) == {"lineage.reach.fixpoint", "lineage.store", "os.path"}
    assert rooms_of(bad, "lineage") == {"reach", "store"}
    assert rooms_of(bad, "lineage.reach") == {"fixpoint"}
    assert list(clock_readings(bad)) == ["bad.py:5"]
