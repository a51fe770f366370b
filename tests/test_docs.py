"""What the docs show works: every SQL block is asked, every link leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import lineage
from streams.simulate import simulate
from tests.samples import sampled
from tests.stores import new_store

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
QUESTIONS = re.findall(
    r"^```sql\n(.*?)^```", (ROOT / "docs/auditing.md").read_text(encoding="utf-8"), re.M | re.S
)
# Empty for a log without anything broken, read without Kafka.
MAY_BE_EMPTY = ("dead_letter", "conflict", "ingest_position", "ingest_topic", "digest_note")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lineage.Store]:
    log = tmp_path_factory.mktemp("log")
    simulate(2_000, seed=1, out=log)
    with new_store() as store:
        store.replay(log, at=datetime.now(UTC))
        yield store


@pytest.mark.parametrize("question", sampled(QUESTIONS, 4))
def test_every_question_has_an_answer(store: lineage.Store, question: str) -> None:
    rows = store.sql(question).fetchall()
    assert rows or any(f"FROM {name}" in question for name in MAY_BE_EMPTY)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_the_tables_of_the_auditors_page_are_the_tables(store: lineage.Store) -> None:
    text = (ROOT / "docs/auditing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| `.*$", text, re.M))))
    rows = store.sql(
        "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal"
    )
    assert named == {name for (name,) in rows.fetchall()}


def test_every_promise_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    missing, named, path = [], 0, ROOT
    for file, name in re.findall(r"`(tests/[\w/]+\.py)?::(\w+)`", page):
        path = ROOT / file if file else path  # one without a file is in that of the one before
        named += 1
        if not re.search(rf"^ *def {name}\(", path.read_text(encoding="utf-8"), re.M):
            missing.append(f"{path.relative_to(ROOT)}::{name}")
    assert named > 20
    assert missing == []
