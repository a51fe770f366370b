"""What the tables of the events themselves must hold: the events that count, column by column."""

from collections.abc import Iterable

from tests.lineage.semantics.reference_log import FIELDS, PARTY_FIELDS, Event, Log, Row

EventTable = tuple[tuple[str, ...], list[Row]]


def plain(events: Iterable[Event], columns: tuple[str, ...]) -> EventTable:
    return columns, [tuple(event[name] for name in columns) for event in events]


def event_rows(events: Iterable[Event]) -> dict[str, EventTable]:
    """Table -> (columns, rows). A hop without outputs has no row of side OUTPUT."""
    log = Log(events)
    hop_columns = ("hop_id", "run_id", "job", "operation", "source", "target")
    return {
        "message": plain(log.messages, ("message_id", "channel", "dataset", "sent_at")),
        "message_party": (
            ("message_id", *PARTY_FIELDS),
            [
                (one["message_id"], *(party[name] for name in PARTY_FIELDS))
                for one in log.messages
                for party in one["parties"]
            ],
        ),
        "hop": (
            (*hop_columns, "declass_method", "declass_k", "moved_at"),
            [
                (
                    *(one[name] for name in hop_columns),
                    *((one["declassification"] or {}).get(name) for name in ("method", "k")),
                    one["moved_at"],
                )
                for one in log.hops
            ],
        ),
        "hop_record": (
            ("hop_id", "side", "record_id"),
            [
                (one["hop_id"], side, record_id)
                for one in log.hops
                for side, records in (("INPUT", one["inputs"]), ("OUTPUT", one["outputs"]))
                for record_id in records
            ],
        ),
        "consent_change": plain(log.consents, FIELDS["ConsentChanged"]),
        "run_report": plain(log.by_type["RunReported"], FIELDS["RunReported"]),
        "(FROM policy WHERE policy_id <> 'built-in')": plain(
            log.by_type["PolicyPublished"], FIELDS["PolicyPublished"]
        ),
    }
