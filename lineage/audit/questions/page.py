"""Writes docs/questions.md from the saved questions, for `make docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from lineage.audit.questions.saved_questions import SavedQuestion, saved_questions

_HEAD = """\
# Saved questions

What auditors ask, each in a file below `lineage/audit/questions/`. This page is written from these
files by `make docs`; a test holds them together.

```
$ lineage ask                                                     # lists them
$ lineage ask member-recipients --param member=m-1 --db lineage.duckdb
$ lineage ask message-third-parties --param message=ID --json     # or --csv, --vertical, --columns
$ lineage ask recipients --show                                   # the SELECT itself
```

They go through a worker that holds the database, as [all questions](serving.md) do. In Python:

```python
from lineage.audit.questions.saved_questions import saved_question

question = saved_question("member-recipients")
store.sql(question.sql, question.values({"member": "m-1"})).pl()
```

An instant is UTC where it names no zone. [Each takes less than a second](performance.md#questions)
at 10 million arrivals.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    questions = saved_questions().values()
    index = [f"- [{each.title}](#{each.name})" for each in questions]
    parts = [_HEAD, *index, *(line for each in questions for line in _section(each))]
    return "\n".join(parts) + "\n"


def _section(question: SavedQuestion) -> Iterator[str]:
    yield f"\n## {question.name}\n\n**{question.title}** {question.description}"
    if question.parameters:
        yield "\n| parameter | kind | default | |\n|---|---|---|---|"
    for each in question.parameters:
        default = "" if each.required else each.default or "none"
        yield f"| `{each.name}` | {each.kind} | {default} | {each.description} |"


if __name__ == "__main__":
    sys.stdout.write(page())
