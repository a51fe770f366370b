"""Attempts of DuckDB's clients to get further than a question: none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import lineage
from tests.lineage.audit.questions import HOSTILE
from tests.samples import sampled
from tests.streams.quack.attached import attached, remotely
from tests.streams.serve.test_attempts import FILES, SETTINGS, WRITING

# What quack itself has, and what is about the process that serves.
SERVER = [
    "FROM quack_stop('quack:127.0.0.1:{port}')",
    "SELECT * FROM quack_stop('quack:localhost')",
    "SELECT 1; FROM quack_stop('quack:127.0.0.1:{port}')",
    "CALL quack_stop('quack:127.0.0.1:{port}')",
    "FROM quack_serve('quack:127.0.0.1:0', token => 'another-token')",
    "FROM quack_query('quack:127.0.0.1:{port}', 'SELECT 1', token => 'x')",
    "FROM quack_query_by_name('r', 'SELECT 1')",
    "FROM quack_active_connections()",
    "FROM quack_server_list()",
    "FROM quack_identify()",
    "FROM quack_clear_cache()",
    "SELECT quack_check_token('a', 'b', 'c')",
    "SELECT current_setting('quack_authentication_function')",
    "SET GLOBAL quack_authorization_function = 'quack_nop_authorization'",
    "SELECT getvariable('token')",
    "SELECT current_connection_id()",
    "FROM which_secret('quack:127.0.0.1', 'quack')",
    "FROM read_json('{folder}/lineage.duckdb.serve.json')",
    "FROM read_blob('/proc/self/environ')",
    "FROM read_text('/proc/self/cmdline')",
    "FROM pandas_scan(NULL)",
    "FROM arrow_scan(0, 0, 0)",
    "FROM duckdb_logs()",
    "FROM duckdb_temporary_files()",
    "FROM duckdb_memory()",
    "SELECT write_log('x')",
    "SELECT nextval('s')",
    "PRAGMA force_checkpoint",
    "PRAGMA disable_checkpoint_on_shutdown",
    "FROM force_checkpoint()",
    "FROM json_execute_serialized_sql(json_serialize_sql('DELETE FROM core.flag'))",
    "PREPARE p AS SELECT 1",
    "EXPLAIN SELECT 1",
    "FROM sniff_csv('/etc/passwd')",
    "FROM parquet_metadata('/etc/passwd')",
    "FROM 'http://127.0.0.1:{port}/health'",
]
# Statements of the client about what it has attached.
ATTACHED = [
    "INSERT INTO r.flag VALUES ('a', 'b', 'c', 'd', 'e', now(), now(), 1, 'f')",
    "INSERT INTO r.main.hop_record VALUES ('a', 'INPUT', 'b')",
    "INSERT INTO r.hop_record SELECT 'a', 'INPUT', i::VARCHAR FROM range(5000) t(i)",
    "COPY r.hop_record FROM '{folder}/rows.csv' (HEADER false)",
    "UPDATE r.flag SET severity = 'LOW'",
    "DELETE FROM r.flag",
    "TRUNCATE r.flag",
    "DROP TABLE r.flag",
    "DROP VIEW r.flag",
    "DROP SCHEMA r.main CASCADE",
    "CREATE TABLE r.main.t (i INTEGER)",
    "CREATE TABLE r.t AS SELECT 1 AS i",
    "CREATE OR REPLACE TABLE r.flag AS SELECT 1 AS i",
    "CREATE VIEW r.v AS SELECT 1 AS i",
    "CREATE SCHEMA r.s",
    "CREATE INDEX i ON r.flag (rule)",
    "CREATE SEQUENCE r.s",
    "CREATE MACRO r.m() AS 1",
    "CREATE TYPE r.e AS ENUM ('a')",
    "ALTER TABLE r.flag ADD COLUMN x INTEGER",
    "ALTER TABLE r.flag RENAME TO other",
    "COMMENT ON TABLE r.flag IS 'x'",
    "COPY FROM DATABASE memory TO r",
    "MERGE INTO r.flag USING (SELECT 1 AS i) ON true WHEN MATCHED THEN DELETE",
    "CHECKPOINT r",
    "FROM quack_query_by_name('r', 'DELETE FROM core.flag')",
    "FROM quack_query_by_name('r', 'FROM quack_stop(''quack:127.0.0.1:{port}'')')",
]


@pytest.fixture(scope="module")
def before(store: lineage.Store, url: str) -> Iterator[str]:
    """The digest, which is looked at again in the end, when the server answers still."""
    digest, settings = store.digest(), SETTINGS_NOW.format()
    now = store.answer(settings).fetchall()
    yield digest
    assert store.digest() == digest
    assert store.answer(settings).fetchall() == now
    with attached(url) as client:
        assert len(client.sql("FROM r.flag")) == 4


SETTINGS_NOW = "SELECT name, value FROM duckdb_settings() ORDER BY ALL"


def test_there_are_many() -> None:
    assert len({*WRITING, *FILES, *SETTINGS, *SERVER, *ATTACHED}) >= 60


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("query", sampled([*WRITING, *FILES, *SETTINGS, *SERVER], 3))
def test_an_attempt_in_a_question_fails(
    client: duckdb.DuckDBPyConnection, url: str, query: str, tmp_path: Path
) -> None:
    attempt = query.format(folder=tmp_path, port=url.rpartition(":")[2])
    with pytest.raises(duckdb.InvalidInputException) as refused:
        client.execute(remotely(attempt)).fetchall()
    assert "Invalid Input Error" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("statement", sampled(ATTACHED, 5))
def test_an_attempt_on_what_is_attached_fails(url: str, statement: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,INPUT,b\n")
    with attached(url) as client:
        client.execute("CREATE TABLE memory.main.t AS SELECT 1 AS i")
        with pytest.raises(duckdb.Error):
            client.execute(
                statement.format(folder=tmp_path, port=url.rpartition(":")[2])
            ).fetchall()


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("query", sampled(HOSTILE, 20))
def test_what_is_refused_of_a_file_is_refused_of_a_client(
    client: duckdb.DuckDBPyConnection, query: str
) -> None:
    # A lone surrogate is no text that a client could send.
    with pytest.raises((duckdb.Error, UnicodeEncodeError)):
        client.execute(remotely(query)).fetchall()
