"""Pages as HTML, JSON and CSV: what they say, what they refuse, and that nothing is inline."""

from __future__ import annotations

import csv
import re
from urllib.parse import urlencode

import pytest

import lineage
from lineage.audit.questions.saved_questions import saved_questions
from tests.lineage.events.builders import at, hop, message, policy
from tests.stores import new_store
from tests.streams.console.showing import PAGES, showing
from tests.streams.serve.serving import ask

HTML = "text/html,application/xhtml+xml"


def html(url: str, path: str, status: int = 200) -> str:
    told = ask(url, path, accept=HTML)
    assert (told.status, told.headers["content-type"]) == (status, "text/html; charset=utf-8")
    return told.body.decode()


def rows_of(path: str, suffix: str) -> str:
    """The address of the rows behind a page."""
    page, _, query = path.partition("?")
    return f"{'/overview' if page == '/' else page}{suffix}{'?' + query if query else ''}"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_there_as_html_json_and_csv(url: str, path: str) -> None:
    assert "<main" in html(url, path)
    as_json = ask(url, rows_of(path, ".json"))
    assert as_json.status == 200
    first = next(iter(as_json.json["parts"].values()))
    as_csv = ask(url, rows_of(path, ".csv"))
    assert as_csv.headers["content-type"].startswith("text/csv")
    written = list(csv.reader(as_csv.body.decode().splitlines()))
    assert (written[0], len(written) - 1) == (first["columns"], len(first["rows"]))


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_a_page_is_inline_or_from_elsewhere(url: str, path: str) -> None:
    told = ask(url, path, accept=HTML)
    text = told.body.decode()
    sources = re.findall(r'(?:src|href|action)="([^"]*)"', text)
    assert all(each.startswith(("/", "#", "?")) and not each.startswith("//") for each in sources)
    assert not re.search(r"<style| style=| on\w+=|<script>", text)
    policy = told.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/message/no", "/member/no", "/dataset/no", "/policy/no"])
def test_what_is_not_there_is_said(url: str, path: str) -> None:
    assert "&#39;no&#39;" in html(url, path, 404)
    assert ask(url, f"{path}.json").status == 404


def test_programs_have_their_answers_where_pages_are(url: str, store: lineage.Store) -> None:
    assert ask(url, "/health").json["console"] is True
    assert len(ask(url, "/flags").json["rows"]) == len(store.flags().fetchall())


def test_the_overview_marks_third_parties_corpora_and_what_nobody_declared(url: str) -> None:
    text = html(url, "/")
    drawn = re.findall(r"<a href=\"/dataset/([^\"]+)\"><rect(.*?)</a>", text, re.S)
    marks = {name: re.findall(r"<text[^>]*>([^<]*)</text>", drawing) for name, drawing in drawn}
    assert marks["partner"] == ["partner", "third party Acme"]
    assert marks["corpus"] == ["corpus", "AI corpus"]
    assert [marks[name][1] for name in ("raw", "copy", "wide")] == ["undeclared"] * 3
    flows = ask(url, "/overview.json").json["parts"]["flows"]["rows"]
    assert {(row["source"], row["target"]): row["hops"] for row in flows} == {
        ("inbox", "raw"): 1, ("inbox", "copy"): 1, ("raw", "wide"): 1, ("copy", "wide"): 1,
        ("wide", "raw"): 1, ("wide", "partner"): 1, ("wide", "corpus"): 1,
    }  # fmt: skip


def test_flows_that_come_later_are_counted_once() -> None:
    with new_store() as store, showing(store) as url:
        for number in range(3):
            store.apply([message(f"m{number}"), hop(f"h{number}", "inbox", "raw", [f"m{number}"])])
            for _ in range(2):
                flows = ask(url, "/overview.json").json["parts"]["flows"]["rows"]
                assert [row["hops"] for row in flows] == [number + 1]


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        ({"dataset": "partner"}, 1), ({"severity": "CRITICAL"}, 1), ({"severity": "LOW"}, 0),
        ({"recipient": "Acme"}, 1), ({"message": "m2"}, 1), ({"message": "m9"}, 0),
        ({"region": "US"}, 2), ({"region": "DE"}, 0), ({"tier": "SALES_NAVIGATOR"}, 2),
        ({"until": "2024-09-18"}, 0), ({"since": "2024-09-18"}, 2), ({"since": "2024-09-19"}, 0),
    ],
)  # fmt: skip
def test_flags_are_filtered(url: str, given: dict[str, str], messages: int) -> None:
    rows = ask(url, f"/flags.json?{urlencode(given)}").json["parts"]["flags"]["rows"]
    assert len({row["message_id"] for row in rows}) == messages
    if "dataset" in given:
        assert {row["dataset"] for row in rows} == {given["dataset"]}


def test_a_message_says_what_it_breaks_in_words_and_shows_the_rule(url: str) -> None:
    text = html(url, "/message/m1")
    assert "reached partner, which belongs to a third party, Acme." in text
    assert "confidential and identifiable and party = &#39;THIRD&#39;" in text
    held = ask(url, "/message/m1.json").json["parts"]["held_by"]["rows"]
    assert {row["dataset"] for row in held} == {
        "inbox", "raw", "copy", "wide", "partner", "corpus"
    }  # fmt: skip


def test_a_rule_with_a_known_name_and_another_text_is_not_put_into_its_words() -> None:
    name = "confidential-inmail-to-third-party"
    other = policy("p", [(name, "CRITICAL", "confidential")])
    with new_store() as store, showing(store) as url:
        store.apply([other, message("m", sent_at=at(1))])
        text = html(url, "/message/m")
    assert f"The message broke the rule {name} of the policy in inbox." in text
    assert "belongs to a third party" not in text


def test_names_of_any_spelling_have_a_page_and_are_escaped() -> None:
    odd = ["<script>alert(1)</script>", "a/b", "..", "x.json", "ü?&#%", '"']
    with new_store() as store, showing(store) as url:
        store.apply([message(name, dataset=f"in {name}") for name in odd])
        listed = html(url, "/questions?" + urlencode({"sql": "SELECT message_id FROM message"}))
        assert "<script>alert" not in listed
        links: list[str] = re.findall(r'href="(/message/[^"]+)"', listed)
        assert len(links) == len(odd)
        for link in links:
            assert "<script>alert" not in html(url, link)


def test_a_cut_is_said(url: str) -> None:
    text = html(url, "/questions?" + urlencode({"sql": "FROM range(1000)"}))
    assert "Only the first 200 rows are shown; there are more." in text
    told = ask(url, "/questions.csv?" + urlencode({"sql": "FROM range(20000)"}))
    assert told.headers["lineage-cut"] == "true"
    assert len(told.body.splitlines()) == 10_001


def test_parameters_of_free_sql_become_fields(url: str) -> None:
    text = html(url, "/questions?" + urlencode({"sql": "SELECT $since, '$no' -- $nor"}))
    assert re.findall(r'name="(p\.[^"]*)"', text) == ["p.since"]


@pytest.mark.parametrize("sql", ["DROP TABLE core.hop", "SELECT 1; SELECT 2", "FROM 'x.csv'", "("])
def test_sql_is_checked(url: str, sql: str) -> None:
    assert 'role="alert"' in html(url, "/questions?" + urlencode({"sql": sql}))
    assert ask(url, "/questions.json?" + urlencode({"sql": sql})).status == 400


@pytest.mark.parametrize("name", sorted(saved_questions()))
def test_every_saved_question_has_its_page_with_its_fields(url: str, name: str) -> None:
    text = html(url, f"/question/{name}")
    for each in saved_questions()[name].parameters:
        assert f'name="p.{each.name}"' in text
