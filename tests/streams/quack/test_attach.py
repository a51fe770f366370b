"""DuckDB's own clients attach a served database, and read what there is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import lineage
from lineage.remote.attach import attach_statements
from streams.errors import WorkerError
from streams.serve.address_file import announced
from streams.worker.configuration.settings import Settings
from tests.stores import new_store
from tests.streams.cli.runner import EVENTS, run
from tests.streams.quack.attached import TOKEN, attached, remotely
from tests.streams.serve.serving import ask, serving

VIEWS = (
    "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal ORDER BY ALL"
)
MACROS = [
    "FROM route('m1')",
    "FROM upstream('partner', 'p')",
    "FROM downstream('inbox', 'm1')",
]


def test_every_view_is_a_table_with_the_same_rows(
    client: duckdb.DuckDBPyConnection, store: lineage.Store
) -> None:
    names = [name for (name,) in store.sql(VIEWS).fetchall()]
    assert "fact" in names
    for name in names:
        here = store.sql(f"FROM {name} ORDER BY ALL")
        there = client.sql(f"FROM r.main.{name} ORDER BY ALL")
        assert (there.columns, there.fetchall()) == (here.columns, here.fetchall())
        assert client.sql(f"FROM r.{name} ORDER BY ALL").fetchall() == here.fetchall()
        described = client.sql(f"DESCRIBE r.{name}").fetchall()
        assert described == store.sql(f"DESCRIBE {name}").fetchall()
        assert client.sql(f"SELECT count(*) FROM r.{name}").fetchall() == [(len(here),)]


@pytest.mark.parametrize("query", MACROS)
def test_macros_are_asked_by_query(
    client: duckdb.DuckDBPyConnection, store: lineage.Store, query: str
) -> None:
    here = store.sql(query).fetchall()
    assert len(here) >= 4
    assert client.sql(remotely(query)).fetchall() == here


def test_a_client_asks_for_the_columns_that_it_needs_and_works_on_them(
    client: duckdb.DuckDBPyConnection,
) -> None:
    client.execute("CREATE OR REPLACE TEMP TABLE wanted AS SELECT 'partner' AS dataset")
    found = client.sql("SELECT rule FROM r.flag JOIN wanted USING (dataset)").fetchall()
    assert found == [("confidential-inmail-to-third-party",)]
    (counted,) = client.sql(
        "SELECT count(*) FROM r.flag WHERE severity = 'HIGH' AND message_id = 'm1'"
    ).fetchall()
    assert counted == (3,)


def test_a_client_in_a_transaction_of_its_own_reads(client: duckdb.DuckDBPyConnection) -> None:
    client.execute("BEGIN")
    assert len(client.sql("FROM r.flag")) == 4
    client.execute("ROLLBACK")


def test_a_client_sees_what_is_recorded_meanwhile() -> None:
    """It asks the database itself, and no copy of it."""
    counted = "SELECT count(*) FROM r.message"
    with (
        new_store() as store,
        serving(store, token=TOKEN, quack=True) as url,
        attached(url) as client,
    ):
        assert client.sql(counted).fetchall() == [(0,)]
        store.apply(EVENTS)
        assert client.sql(counted).fetchall() == [(2,)]


def test_what_is_not_there_is_said(client: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.CatalogException, match="nothing does not exist"):
        client.sql("FROM r.nothing")
    with pytest.raises(duckdb.Error, match="names a table that is not there"):
        client.sql(remotely("FROM nothing"))
    with pytest.raises(duckdb.Error, match="an unknown function is not allowed"):
        client.sql(remotely("SELECT nosuchfunction(1)"))


@pytest.mark.parametrize("token", ["another-token-of-length", TOKEN + "x", TOKEN[:-1], "ü" * 16])
def test_another_token_is_refused(url: str, token: str) -> None:
    with pytest.raises(duckdb.Error, match="the token is another one"), attached(url, token):
        pass


def test_a_token_is_made_and_told_beside_the_database_where_no_file_has_one(
    store: lineage.Store, tmp_path: Path
) -> None:
    db = tmp_path / "lineage.duckdb"
    with serving(store, db, quack=True) as url:
        where = announced(db)
        assert where is not None
        assert (where.url, len(where.token) >= 32) == (url, True)
        with attached(url, where.token) as client:
            assert len(client.sql("FROM r.flag")) == 4
        with pytest.raises(duckdb.Error, match="the token is another one"), attached(url):
            pass


def test_a_variable_turns_it_on() -> None:
    settings = Settings.from_environment({"LINEAGE_QUACK": "1"})
    assert settings.serve is not None
    assert settings.serve.quack
    off = Settings.from_environment({})
    assert off.serve is not None
    assert not off.serve.quack
    with pytest.raises(WorkerError, match="LINEAGE_QUACK must be 1 or 0"):
        Settings.from_environment({"LINEAGE_QUACK": "yes"})


def test_it_needs_an_address(tmp_path: Path) -> None:
    options = ["--db", tmp_path / "x.duckdb", "--bootstrap", "127.0.0.1:1", "--no-serve"]
    ran = run("worker", *options, "--quack")
    assert (ran.code, "--quack needs an address" in ran.err) == (2, True)


def test_nothing_is_answered_unless_it_is_turned_on(store: lineage.Store) -> None:
    with serving(store, token=TOKEN) as url:
        assert ask(url, "/health").json["quack"] is False
        assert ask(url, "/quack", "", "POST").status == 401
        with pytest.raises(duckdb.Error, match="Failed to send message"), attached(url):
            pass


def test_without_the_extra_one_sentence_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.remote.attach.find_spec", lambda _: None)
    with pytest.raises(lineage.StoreError, match="pip install 'message-lineage\\[quack\\]'"):
        attach_statements("http://127.0.0.1:1", "t")


def test_what_stands_in_a_name_or_a_token_stays_there() -> None:
    *_, statement = attach_statements("http://127.0.0.1:1", "a'b", 'x"y')
    assert statement == """ATTACH 'quack:127.0.0.1:1' AS "x""y" (TOKEN 'a''b');"""
