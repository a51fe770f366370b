"""Asks a database every saved question, and prints {question: milliseconds}.

Parameters that have to be given are those of a leaked message, and of its sender and recipient.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import lineage
from benchmarks.measurement.questions import milliseconds
from lineage.audit.questions.saved_questions import SavedQuestion, saved_questions

_RULE = "confidential-inmail-to-third-party"
_LEAK = """
SELECT f.message_id, p.member_id, d.recipient
FROM flag f
JOIN message_party p USING (message_id)
JOIN dataset d USING (dataset)
WHERE f.rule = $rule AND p.role = 'SENDER' AND d.recipient IS NOT NULL
ORDER BY f.first_at DESC, f.message_id LIMIT 1
"""


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    with lineage.open(parser.parse_args().database, read_only=True) as store:
        ((message, member, recipient),) = store.sql(_LEAK, {"rule": _RULE}).fetchall()
        values = {
            "message": message, "member": member, "recipient": recipient, "rule": _RULE,
            "region": "DE", "since": "2024-06-01",
        }  # fmt: skip
        times = {}
        for name, question in saved_questions().items():
            given = {each.name: values[each.name] for each in question.parameters if each.required}
            times[name] = milliseconds(lambda q=question, g=given: _ask(store, q, g))  # type: ignore[misc] # its own of each round
        print(json.dumps(times))


def _ask(store: lineage.Store, question: SavedQuestion, given: Mapping[str, str]) -> int:
    with store.sql_batches(question.sql, question.values(given)) as asked:
        return sum(batch.num_rows for batch in asked.batches())


if __name__ == "__main__":
    main()
