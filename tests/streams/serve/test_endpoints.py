"""Questions over HTTP: their forms, their answers, and what they are told where they are wrong."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import quote

import pyarrow as pa
import pytest

import lineage
from tests.streams.cli.runner import FLAGS, listed
from tests.streams.serve.serving import ask, serving

ONE = "SELECT 1 AS one, 'ä' AS text"
HUNDRED = "SELECT i FROM range(100) t(i)"


@pytest.mark.parametrize("body", [ONE, {"query": ONE}])
def test_a_question_is_a_text_or_json(url: str, body: object) -> None:
    told = ask(url, "/sql", body)
    assert told.status == 200
    assert told.headers["content-type"] == "application/json"
    rows = [{"one": 1, "text": "ä"}]
    assert told.json == {"columns": ["one", "text"], "rows": rows, "cut": False}


def test_a_question_is_in_the_address(url: str) -> None:
    assert ask(url, f"/sql?query={quote(ONE)}").json == ask(url, "/sql", ONE).json


def test_parameters_are_in_the_address_by_name(url: str) -> None:
    query = quote("SELECT count(*) AS n FROM flag WHERE rule = $rule AND arrivals = $n::BIGINT")
    rule = "confidential-inmail-to-undeclared-dataset"
    told = ask(url, f"/sql?query={query}&p.rule={rule}&p.n=2")
    assert told.json["rows"] == [{"n": 2}]


def test_every_format_says_the_same(url: str) -> None:
    rows = [listed(row) for row in FLAGS]
    assert ask(url, "/flags").json["rows"] == rows
    lines = ask(url, "/flags?format=jsonl").body.decode().splitlines()
    assert list(map(json.loads, lines)) == rows
    table = csv.DictReader(io.StringIO(ask(url, "/flags", accept="text/csv").body.decode()))
    assert list(table) == [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in rows
    ]
    told = ask(url, "/flags", accept="application/vnd.apache.arrow.stream")
    arrow = pa.ipc.open_stream(told.body).read_all()
    assert arrow["dataset"].to_pylist() == [row["dataset"] for row in rows]


def test_an_answer_without_rows_is_none_in_every_format(url: str) -> None:
    nothing = "SELECT 1 AS one WHERE false"
    assert ask(url, "/sql", nothing).json == {"columns": ["one"], "rows": [], "cut": False}
    for limit in (0, 10):
        assert ask(url, f"/sql?format=jsonl&limit={limit}", nothing).body == b""
        assert ask(url, f"/sql?format=csv&limit={limit}", nothing).body == b"one\n"
        arrow = ask(url, f"/sql?format=arrow&limit={limit}", nothing).body
        assert pa.ipc.open_stream(arrow).read_all().num_rows == 0


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "arrow"])
@pytest.mark.parametrize(("limit", "rows"), [(99, 99), (100, 100), (0, 100)])
def test_a_limit_says_whether_it_cuts(url: str, form: str, limit: int, rows: int) -> None:
    told = ask(url, f"/sql?format={form}&limit={limit}", HUNDRED)
    assert told.headers["lineage-cut"] == ("true" if rows < 100 else "false")
    if limit:
        assert told.headers["lineage-rows"] == str(rows)
    if form == "json":
        assert (len(told.json["rows"]), told.json["cut"]) == (rows, rows < 100)
    if form == "jsonl":
        assert len(told.body.splitlines()) == rows
    if form == "csv":
        assert len(told.body.splitlines()) == rows + 1
    if form == "arrow":
        assert pa.ipc.open_stream(told.body).read_all().num_rows == rows


def test_a_large_answer_is_cut_by_its_size(store: lineage.Store) -> None:
    with serving(store, answer_bytes_max=200_000) as url:
        told = ask(url, "/sql", "SELECT i, repeat('x', 100) AS x FROM range(9000) t(i)")
    assert told.json["cut"]
    assert len(told.json["rows"]) < 9000


@pytest.mark.parametrize(
    ("params", "types", "sent"),
    [
        (["m1"], None, "message_id = ?"),
        ({"id": "m1"}, None, "message_id = $id"),
        (["2024-09-18T00:00:00"], ["TIMESTAMP"], "message_id = 'm1' AND sent_at = ?"),
        (["2024-09-18"], ["DATE"], "message_id = 'm1' AND sent_at::DATE = ?"),
        ({"n": "1.5"}, {"n": "DECIMAL"}, "message_id = 'm1' AND $n = 1.5"),
        (["6d"], ["BLOB"], "message_id = decode(?) || '1'"),
        (["1000000"], ["INTERVAL"], "message_id = 'm1' AND ? = INTERVAL 1 SECOND"),
        ([["m1"]], None, "list_contains(?, message_id)"),
        ([None, 1], None, "? IS NULL AND ? = 1 AND message_id = 'm1'"),
    ],
)
def test_parameters_have_types_that_json_has_not(
    url: str, params: object, types: object, sent: str
) -> None:
    body = {"query": f"SELECT message_id FROM message WHERE {sent}", "params": params}
    told = ask(url, "/sql", body if types is None else {**body, "types": types})
    assert told.status == 200, told.body
    assert told.json["rows"] == [{"message_id": "m1"}]


def test_flags_route_and_digest(url: str, store: lineage.Store) -> None:
    assert len(ask(url, "/flags?dataset=partner").json["rows"]) == 1
    by_path = ask(url, "/route/m1")
    assert by_path.json == ask(url, "/route", {"message_id": "m1"}).json
    assert len(by_path.json["rows"]) == len(store.route("m1").fetchall())
    assert ask(url, "/digest").json == {"digest": store.digest()}
    assert ask(url, "/health").json["status"] == "ok"
    assert "GET or POST /sql" in ask(url, "/").json


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/sql", None, 400, "query is missing"),
        ("/sql?query=SELECT+1&format=xml", None, 400, "format must be one of json, jsonl, csv"),
        ("/sql?query=SELECT+1&limit=-1", None, 400, "limit must be a number from 0 on"),
        ("/sql?query=SELECT+1&limit=1.5", None, 400, "limit must be a whole number"),
        ("/sql?query=SELECT+1&limit=100001", None, 400, "limit must be at most 100,000"),
        ("/sql?query=SELECT+1&timeout=nan", None, 400, "timeout must be a number from 0 on"),
        ("/sql?query=SELECT+1&query=SELECT+2", None, 400, "gives an argument twice"),
        ("/sql?query=SELECT+1", "SELECT 2", 400, "the address and the body give the same"),
        ("/sql?query=SELECT+1&p.a=1&params=x", None, 400, "parameters twice, as params and as p"),
        ("/flags?p.a=1", None, 400, "unknown arguments 'p.a'"),
        ("/sql?query=SELECT+1&file=x", None, 400, "unknown arguments 'file'; known are query"),
        ("/sql", {"query": 1}, 400, "query must be a text"),
        ("/sql", {"query": "SELECT 1", "params": 1}, 400, "params must be a list"),
        ("/sql", {"query": "SELECT ?", "params": [1], "types": ["X"]}, 400, "a type is one of"),
        ("/sql", {"query": "SELECT ?", "params": ["x"], "types": ["DATE"]}, 400, "no DATE"),
        ("/sql", {"query": "SELECT ?", "params": [1], "types": []}, 400, "shaped as params"),
        ("/sql", [1], 400, "must be an object"),
        ("/sql", "SELEC 1", 400, "not SQL that DuckDB can read"),
        ("/sql", "SELECT CAST('a' AS INTEGER)", 400, "Conversion Error"),
        ("/sql", "SELECT INTERVAL 1000000000 MONTHS AS t", 400, "no spelling here"),
        ("/flags?rule=nope", None, 400, "no policy in the database has a rule 'nope'"),
        ("/nope", None, 404, "GET / tells what there is"),
        ("/digest", "x", 415, "must be application/json"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    url: str, path: str, body: object, status: int, said: str
) -> None:
    told = ask(url, path, body)
    assert (told.status, said in told.error) == (status, True), told


def test_what_is_asked_for_must_be_there(url: str) -> None:
    assert ask(url, "/sql", ONE, accept="text/html").status == 400
    assert ask(url, "/sql", ONE, method="PUT").status == 405
    assert ask(url, "/sql", "x" * (1024 * 1024 + 1)).status == 413
    assert (
        ask(url, "/sql", "SELECT 1", content_type="application/x-www-form-urlencoded").status == 415
    )
    assert ask(url, "/sql", "{", content_type="application/json").status == 400


def test_an_answer_that_fails_after_it_has_begun_has_no_end(store: lineage.Store, url: str) -> None:
    digit = "CAST(if(i = 500_000, 'x', '0') AS INTEGER)"
    breaks = f"SELECT i + {digit} AS i FROM range(900_000) t(i)"
    remote = lineage.connect(url)
    with remote.sql_batches(breaks) as question:
        batches = question.batches()
        rows = next(batches).num_rows
        with pytest.raises(lineage.QueryError, match="'x'"):
            rows += sum(batch.num_rows for batch in batches)
    assert 0 < rows <= 500_000
    with pytest.raises(Exception, match="IncompleteRead"):
        ask(url, "/sql?format=csv&limit=0", breaks)
