"""The model is the one place of a column: a field added to a schema and to it is everywhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lineage.database.schema.tables import EVENT_TABLES, TABLES
from tests.stores import new_store

ROOT = Path(__file__).parents[3]
FIELD = {"name": "ticket", "type": ["null", "string"], "default": None}
COLUMN = '        value_column("ticket", "VARCHAR", "The order for it"),\n'
BEFORE = '        value_column("moved_at", "TIMESTAMP", "When it moved, UTC"),\n'

# Records hops with and without the field, and one that differs in nothing else.
PROGRAM = """
import json, sys
from pathlib import Path
import lineage
from lineage.codec import by_name, write_container

def hop(number, ticket):
    return {
        "event": "RecordsMoved", "hop_id": f"h{number}", "run_id": "r", "job": "j",
        "operation": "COPY", "source": "a", "target": "b", "inputs": ["x"], "outputs": [],
        "declassification": None, "moved_at": "2024-01-01T00:00:00Z", "ticket": ticket,
    }

folder = Path(sys.argv[1])
moved = by_name("RecordsMoved")
hops = [hop(1, "T-1"), hop(2, None)]

def said(events=None, log=None, again=()):
    with lineage.open(":memory:") as store:
        if log is not None:
            result = store.replay(log)
            assert result.dead_letters == 0, store.sql("FROM dead_letter").fetchall()
        else:
            assert not store.apply(events).dead_letters
            store.apply(again)
        rows = store.sql("SELECT hop_id, ticket FROM hop ORDER BY hop_id").fetchall()
        comment = store.sql(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'hop'"
            " AND column_name = 'ticket' AND schema_name = 'main'"
        ).fetchall()
        conflicts = store.sql("SELECT count(*) FROM conflict").fetchall()
        return {"rows": rows, "digest": store.digest(), "comment": comment, "conflicts": conflicts}

(folder / "log.jsonl").write_text("\\n".join(map(json.dumps, hops)))
write_container(folder / "log.avro", moved, hops)
print(json.dumps({
    "applied": said(hops),
    "lines": said(log=folder / "log.jsonl"),
    "avro": said(log=folder / "log.avro"),
    "other": said([hop(1, "T-2"), hop(2, None)]),
    "repeated": said(hops, again=hops),
    "disputed": said(hops, again=[hop(1, "T-2")]),
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Copy the package, add the field to the schema and to the model alone, and run it."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lineage", folder / "lineage", ignore=ignored)
    shutil.copytree(ROOT / "schemas", folder / "lineage" / "schemas", ignore=ignored)
    avsc = folder / "lineage" / "schemas" / "records_moved.avsc"
    schema = json.loads(avsc.read_text(encoding="utf-8"))
    schema["fields"].append(FIELD)
    avsc.write_text(json.dumps(schema), encoding="utf-8")
    tables = folder / "lineage" / "database" / "schema" / "tables.py"
    text = tables.read_text(encoding="utf-8")
    assert text.count(BEFORE) == 1
    tables.write_text(text.replace(BEFORE, COLUMN + BEFORE), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("way", ["applied", "lines", "avro", "repeated"])
def test_a_new_field_is_decoded_stored_and_shown(
    said: dict[str, dict[str, object]], way: str
) -> None:
    assert said[way]["rows"] == [["h1", "T-1"], ["h2", None]]
    assert said[way]["comment"] == [["The order for it"]]
    assert said[way]["conflicts"] == [[0]]
    assert said[way]["digest"] == said["applied"]["digest"]


@pytest.mark.slow
def test_a_new_field_is_in_the_digest_and_tells_versions_apart(
    said: dict[str, dict[str, object]],
) -> None:
    assert said["other"]["digest"] != said["applied"]["digest"]
    assert said["disputed"]["conflicts"] == [[2]]


def test_the_database_has_the_columns_of_the_model() -> None:
    with new_store() as store:
        found = store.sql(
            "SELECT schema_name, table_name, list(column_name ORDER BY column_index)"
            " FROM duckdb_columns() WHERE NOT internal GROUP BY ALL"
        ).fetchall()
    columns = {f"{schema}.{name}": names for schema, name, names in found}
    for table in TABLES:
        assert columns[f"core.{table.name}"] == [column.name for column in table.columns]
        if table.view:
            shown = [column.shown for column in table.columns if column.shown]
            assert columns[f"main.{table.view}"] == shown


def test_every_table_of_events_says_which_rows_of_a_batch_it_keeps() -> None:
    assert all(table.batch and table.kept for table in EVENT_TABLES)
