"""Attempts to get further than a question: to write, read files, change settings, end it all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lineage
from tests.lineage.audit.questions import HOSTILE
from tests.samples import sampled
from tests.streams.serve.serving import ask, serving

WRITING = [
    "INSERT INTO core.flag SELECT * FROM core.flag",
    "UPDATE core.message SET id = 0",
    "DELETE FROM core.arrival",
    "TRUNCATE core.arrival",
    "DROP TABLE core.arrival",
    "DROP VIEW main.flag",
    "CREATE TABLE t (i INTEGER)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW main.flag AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE INDEX i ON core.arrival (message)",
    "CREATE SCHEMA s",
    "CREATE SEQUENCE s",
    "ALTER TABLE core.arrival ADD COLUMN x INTEGER",
    "COMMENT ON TABLE core.arrival IS 'x'",
    "SELECT 1; DELETE FROM core.arrival",
    "SELECT 1; DROP TABLE core.arrival; SELECT 2",
    "WITH d AS (DELETE FROM core.arrival RETURNING *) SELECT * FROM d",
    "MERGE INTO core.arrival USING core.arrival a ON true WHEN MATCHED THEN DELETE",
    "BEGIN", "COMMIT", "ROLLBACK", "CHECKPOINT", "FORCE CHECKPOINT", "VACUUM", "ANALYZE",
    "PREPARE p AS DELETE FROM core.arrival", "EXECUTE p", "DEALLOCATE p",
    "EXPLAIN ANALYZE DELETE FROM core.arrival",
]  # fmt: skip
FILES = [
    "COPY core.message TO '{folder}/x.csv'",
    "COPY core.message FROM '/etc/passwd'",
    "COPY (SELECT 1) TO '{folder}/x.parquet'",
    "COPY FROM DATABASE lineage TO memory",
    "EXPORT DATABASE '{folder}/x'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/x.duckdb' AS x",
    "DETACH lineage",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FROM read_text('/etc/passwd')",
    "FROM '/etc/passwd'",
    "FROM read_csv('/etc/passwd')",
    "FROM glob('/**')",
    "FROM enable_profiling(save_location='{folder}/x.json')",
    "FROM enable_logging(storage='file', storage_path='{folder}/x')",
    "CREATE SECRET s (TYPE s3)",
    "SELECT * FROM query('SELECT 1')",
    "FROM query_table('core.arrival')",
]
SETTINGS = [
    "SET memory_limit = '100GB'",
    "SET GLOBAL threads = 64",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET ALL",
    "PRAGMA memory_limit = '100GB'",
    "PRAGMA enable_profiling",
    "SET VARIABLE x = 1",
    "CALL checkpoint()",
    "FROM checkpoint()",
    "SELECT current_setting('temp_directory')",
    "SELECT getenv('HOME')",
    "FROM duckdb_settings()",
    "FROM duckdb_secrets()",
]


@pytest.fixture(scope="module")
def before(store: lineage.Store, url: str) -> Iterator[str]:
    """The digest, which is looked at again in the end."""
    digest = store.digest()
    yield digest
    assert store.digest() == digest
    assert ask(url, "/digest").json == {"digest": digest}


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("query", [*WRITING, *FILES, *SETTINGS])
def test_an_attempt_fails(url: str, query: str, tmp_path: Path) -> None:
    told = ask(url, "/sql", query.format(folder=tmp_path))
    assert told.status == 400
    assert told.json["error"]["type"] == "QueryError"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("query", sampled(HOSTILE, 20))
def test_what_is_refused_of_a_file_is_refused_of_a_server(url: str, query: str) -> None:
    told = ask(url, "/sql", {"query": query})
    assert told.status in (400, 413)
    assert told.json["error"]["type"] in ("QueryError", "HttpError")


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    ("path", "body", "method"),
    [
        ("/sql", "SELECT 1", "DELETE"),
        ("/sql", "SELECT 1", "PATCH"),
        ("/flags", {"rule": "x' OR true; DROP TABLE core.flag; --"}, "POST"),
        ("/flags?message_id=x'%20OR%20'1'='1", None, "GET"),
        ("/flags", {"rule": {"a": 1}}, "POST"),
        ("/flags", {"path": "/etc/passwd"}, "POST"),
        ("/../../etc/passwd", None, "GET"),
        ("/%2e%2e/%2e%2e/etc/passwd", None, "GET"),
        ("/sql?query=SELECT+1&format=../../x", None, "GET"),
        ("/sql", {"query": "SELECT ?", "params": [1], "types": ["INTEGER); DROP"]}, "POST"),
        ("/sql", {"query": "SELECT 1", "timeout": -1}, "POST"),
        ("/sql", {"query": "SELECT 1", "timeout": True}, "POST"),
        ("/sql", {"query": "SELECT 1", "limit": "1; DROP"}, "POST"),
        ("/sql", {"query": ["SELECT 1"]}, "POST"),
        ("/backup", {"to": "/tmp/x"}, "POST"),  # noqa: S108 -- never made
        ("/backup?to=/tmp/x", None, "GET"),
        ("/health", {"stop": True}, "POST"),
        ("/digest", {"db": "/etc/passwd"}, "POST"),
    ],
)
def test_a_request_that_is_none_fails(url: str, path: str, body: object, method: str) -> None:
    assert 400 <= ask(url, path, body, method).status < 500
    assert ask(url, "/health").status == 200


def test_a_route_takes_an_id_as_it_is(url: str) -> None:
    told = ask(url, "/route", {"message_id": "' OR true; DROP TABLE core.flag; --"})
    assert (told.status, told.json["rows"]) == (200, [])


def test_a_copy_goes_to_a_whole_path_and_over_nothing(store: lineage.Store, tmp_path: Path) -> None:
    token = "a-token-of-some-length"  # noqa: S105 -- only this test's
    there = tmp_path / "there"
    there.write_text("kept")
    with serving(store, token=token) as url:
        for to in ("x.duckdb", str(there), str(tmp_path / "no" / "x"), "/\0", ""):
            assert ask(url, "/backup", {"to": to}, authorization=f"Bearer {token}").status == 400
        copy = tmp_path / "copy.duckdb"
        made = lineage.connect(url, token).backup(copy)
        assert (made.path, made.bytes) == (copy, copy.stat().st_size)
    assert there.read_text() == "kept"
    with lineage.open(copy, read_only=True) as copied:
        assert copied.digest() == store.digest()
