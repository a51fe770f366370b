"""Asks the views of a database as an analyst does, and prints {question: milliseconds}."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import lineage
from benchmarks.measurement.questions import milliseconds

_FACTS = {
    "message": """
        SELECT message_id FROM flag WHERE rule = 'confidential-inmail-to-third-party'
        ORDER BY first_at DESC, message_id LIMIT 1""",
    "hop": "SELECT hop_id FROM hop ORDER BY moved_at DESC, hop_id LIMIT 1",
    "member": "SELECT member_id FROM message_party LIMIT 1",
    "recipient": "SELECT min(recipient) FROM dataset",
    "at": "SELECT quantile_disc(sent_at, 0.5) FROM message",
}
_QUESTIONS = {
    "fact, of a message": "FROM fact WHERE message_id = $message",
    "arrival, of a message": "FROM arrival WHERE message_id = $message",
    "message_party, of a member": "FROM message_party WHERE member_id = $member",
    "party_consent, of a member": "FROM party_consent WHERE member_id = $member",
    "fact, count of a dataset": "SELECT count(*) FROM fact WHERE dataset = 'vendors.insights'",
    "fact, count of a recipient": "SELECT count(*) FROM fact WHERE recipient = $recipient",
    "fact, count of an hour": """
        SELECT count(*) FROM fact WHERE arrived_at >= $at AND arrived_at < $at + INTERVAL 1 HOUR""",
    "fact, confidential by recipient": """
        SELECT recipient, dataset, count(DISTINCT message_id) FROM fact
        WHERE confidential AND identifiable AND party = 'THIRD' GROUP BY ALL""",
    "fact, all by kind": "SELECT kind, count(*) FROM fact GROUP BY kind",
    "flag with fact": """
        SELECT l.rule, f.recipient, count(*)
        FROM flag l JOIN fact f USING (message_id, dataset) GROUP BY ALL""",
    "fact, all of a member by message_party": """
        SELECT f.* FROM message_party p JOIN fact f USING (message_id)
        WHERE p.member_id = $member""",
    "hop with hop_record and arrival, all": """
        SELECT h.job, count(*)
        FROM hop h
        JOIN hop_record r USING (hop_id)
        JOIN arrival a ON a.hop_id = h.hop_id AND a.record_id = r.record_id
        GROUP BY ALL""",
    "hop with hop_record and arrival, what was read": """
        SELECT h.job, count(*)
        FROM hop h
        JOIN hop_record r ON r.hop_id = h.hop_id AND r.side = 'INPUT'
        JOIN arrival a ON a.dataset = h.source AND a.record_id = r.record_id
            AND a.arrived_at <= h.moved_at
        GROUP BY ALL""",
    "hop with hop_record and arrival, of a hop": """
        SELECT h.job, count(*)
        FROM hop h JOIN hop_record r USING (hop_id) JOIN arrival a USING (hop_id)
        WHERE h.hop_id = $hop GROUP BY ALL""",
}


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    with lineage.open(parser.parse_args().database, read_only=True) as store:
        values = {name: store.sql(query).fetchall()[0][0] for name, query in _FACTS.items()}

        def asked(query: str) -> float:
            given = {name: value for name, value in values.items() if f"${name}" in query}
            return milliseconds(lambda: store.sql(query, given or None).fetchall())

        print(json.dumps({name: asked(query) for name, query in _QUESTIONS.items()}))


if __name__ == "__main__":
    main()
