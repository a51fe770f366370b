"""The tables: every column of the database, declared once.

The declarations give CREATE TABLE, INSERT, the views that auditors read and their comments, the
digest's lines (`schema.ddl`), the encoding of a batch (`ingest.encode`), and the columns of keys
(`keys.assign`). A field that an event gains is added to its .avsc and here, and nowhere else.

Queries are in the .sql files.
"""

from __future__ import annotations

from typing import Final

from lineage.database.schema.model import (
    Column,
    Reference,
    Table,
    code_column,
    fact_column,
    id_column,
    key_column,
    recorded_at_column,
    value_column,
)

__all__ = ["EVENT_TABLES", "TABLES", "table"]

# Where an event was read (core.origin, and the offset, line or record there), and when. Neighbours
# are alike, so these columns take hardly any of the disk, and trying other ways would take time.
_PROVENANCE = (
    Column("origin", "INTEGER USING COMPRESSION rle", provenance=True),
    Column("position", "BIGINT USING COMPRESSION bitpacking", provenance=True),
    recorded_at_column(),
)
_TAG = "The tag on the message; a consent change can say otherwise later"
_MESSAGE = Table(
    "message",
    batch="messages",
    view="message",
    comment="What members sent; never its text. One row a message",
    columns=(
        id_column("message_id", comment="Id of the message"),
        code_column("channel", "INMAIL, DIRECT or GROUP"),
        key_column(
            Reference.DATASET,
            "dataset",
            "Origin: the dataset in which the message was born as the record message_id",
            field="dataset",
        ),
        value_column("sent_at", "TIMESTAMP", "When it was sent, UTC"),
        *_PROVENANCE,
    ),
)
_MESSAGE_PARTY = Table(
    "message_party",
    batch="parties",
    owner="message",
    view="message_party",
    comment="Who sent and who received a message, with the tags of that moment. One row a party",
    columns=(
        key_column(Reference.ID, "message", "Id of the message", shown="message_id"),
        Column("ordinal", "USMALLINT", "ordinal"),
        code_column("role", "SENDER (exactly one) or RECIPIENT"),
        key_column(
            Reference.MEMBER, "member", "Id of the member", shown="member_id", field="member_id"
        ),
        code_column("tier", "FREE, PREMIUM_CAREER, PREMIUM_BUSINESS, SALES_NAVIGATOR or RECRUITER"),
        code_column("region", "ISO 3166 alpha-2 code", type_="USMALLINT"),
        value_column("ai_training_consent", "BOOLEAN", _TAG),
        value_column("third_party_consent", "BOOLEAN", _TAG),
    ),
)
# keeps_id: the hop names no outputs, so its inputs keep their ids in the target. declassifies: the
# policy in force at moved_at accepts what the hop claims.
_HOP = Table(
    "hop",
    batch="hops",
    view="hop",
    comment="Jobs that moved records from a source to a target dataset. One row a hop",
    columns=(
        id_column("hop_id", comment="Id of the hop"),
        key_column(Reference.ID, "run", "Id of the run of the job", shown="run_id", field="run_id"),
        value_column("job", "VARCHAR", "Name of the job"),
        code_column(
            "operation",
            "COPY, TRANSFORM, JOIN, AGGREGATE, ANONYMIZE, EMBED, TRAIN, EXPORT or READ",
        ),
        key_column(Reference.DATASET, "source", "Dataset that was read", field="source"),
        key_column(Reference.DATASET, "target", "Dataset that was written", field="target"),
        value_column(
            "method",
            "VARCHAR",
            "Claimed method of declassification, null for none; whether it counts is for the "
            "policy in force",
            shown="declass_method",
        ),
        value_column("k", "INTEGER", "The k of that method", shown="declass_k"),
        value_column("moved_at", "TIMESTAMP", "When it moved, UTC"),
        Column("keeps_id", "BOOLEAN"),
        Column("declassifies", "BOOLEAN"),
        *_PROVENANCE,
    ),
)
_HOP_INPUT = Table(
    "hop_input",
    batch="hop_inputs",
    owner="hop",
    columns=(Column("hop", "BIGINT"), Column("record", "BIGINT", "record_id", Reference.ID)),
)
_HOP_OUTPUT = Table(
    "hop_output",
    batch="hop_outputs",
    owner="hop",
    columns=(Column("hop", "BIGINT"), Column("record", "BIGINT", "record_id", Reference.ID)),
)
_CONSENT_CHANGE = Table(
    "consent_change",
    batch="consent_changes",
    view="consent_change",
    comment="What members (or a default, or a policy) said about their consents. One row a change",
    columns=(
        id_column("change_id", comment="Id of the change"),
        key_column(
            Reference.MEMBER, "member", "Id of the member", shown="member_id", field="member_id"
        ),
        code_column("purpose", "AI_TRAINING or THIRD_PARTY"),
        value_column(
            "granted",
            "BOOLEAN",
            "true: granted; false: refused, which wins at the same instant",
        ),
        code_column("basis", "MEMBER, DEFAULT or POLICY: whose word it is"),
        value_column("effective_at", "TIMESTAMP", "From when it holds, UTC"),
        *_PROVENANCE,
    ),
)
_DECLARATION = Table(
    "declaration",
    batch="declarations",
    view="dataset",
    comment="Declarations of datasets. One row a declaration; a dataset that is not here is "
    "undeclared",
    columns=(
        id_column("declaration_id", shown=False),
        # Stored as a text, too: there are few, and it orders two that hold from one instant.
        Column("declaration_id", "VARCHAR", "declaration_id", digested=True),
        key_column(Reference.DATASET, "dataset", "Name of the dataset", field="dataset"),
        code_column("kind", "TOPIC, TABLE, FEATURE_STORE, TRAINING_CORPUS, MODEL or SINK"),
        code_column("party", "FIRST or THIRD: whose it is"),
        value_column("recipient", "VARCHAR", "The named third party, or null"),
        value_column(
            "declared_at",
            "TIMESTAMP",
            "From when it holds, UTC; the earliest one of a dataset holds before it too",
        ),
        *_PROVENANCE,
    ),
)
# id = 0 is the built-in policy.
_POLICY = Table(
    "policy",
    batch="policies",
    view="policy",
    comment="Policies: the published ones, and the built-in one, which holds before the first of "
    "them. One row a policy",
    digest_where="id <> 0",
    columns=(
        id_column("policy_id", shown=False),
        value_column("policy_id", "VARCHAR", "Id of the policy"),
        value_column(
            "effective_at",
            "TIMESTAMP",
            "From when it holds, UTC; of the built-in one 1970, which no event is before",
        ),
        value_column("disclosed_at", "TIMESTAMP", "When it was disclosed, UTC; null: never"),
        value_column("document", "VARCHAR", "Its text, YAML"),
        Column("paying_tiers", "UTINYINT"),
        Column("exempt_regions", "VARCHAR[]"),
        *_PROVENANCE,
    ),
)
_RUN_REPORT = Table(
    "run_report",
    batch="run_reports",
    view="run_report",
    comment="What runs said of themselves: that they began, go on or ended, and how much they have "
    "reported. One row a report",
    columns=(
        id_column("report_id", comment="Id of the report"),
        key_column(Reference.ID, "run", "Id of the run", shown="run_id", field="run_id"),
        value_column("job", "VARCHAR", "Name of the job"),
        code_column("state", "START, RUNNING, COMPLETE, FAIL or ABORT"),
        value_column("hops", "BIGINT", "How many hops the run has reported so far, as it says"),
        value_column(
            "records",
            "BIGINT",
            "How many records these name so far, as it says: the distinct inputs and outputs of "
            "each hop",
        ),
        value_column("reported_at", "TIMESTAMP", "When it said so, UTC"),
        *_PROVENANCE,
    ),
)
# hop = 0: the origin (SEND).
_ARRIVAL = Table(
    "arrival",
    view="arrival",
    comment="Where messages went: one row for the origin of each message, and one for each "
    "message, hop and target record",
    columns=(
        key_column(Reference.ID, "message", "Id of the message", shown="message_id"),
        key_column(
            Reference.ID,
            "hop",
            "The hop that carried it; null at the origin",
            shown="hop_id",
            nullable=True,
        ),
        key_column(Reference.DATASET, "dataset", "Where it arrived"),
        key_column(Reference.ID, "record", "The record that holds it there", shown="record_id"),
        code_column("operation", "That of the hop; SEND at the origin", field=""),
        fact_column("arrived_at", "TIMESTAMP", "moved_at of the hop, sent_at at the origin; UTC"),
        fact_column(
            "identifiable", "BOOLEAN", "false: declassified on the way, by the policy then in force"
        ),
        recorded_at_column(),
    ),
)


def _flag(severity: str, first_hop: str) -> tuple[Column, ...]:
    """Return the columns of a flag. They are few and often asked for, so ids are texts.

    message is the key of one; hop (0 for the origin) and declaration (0: none) are those of the
    first breach.
    """
    return (
        fact_column("rule", "VARCHAR", "Id of the rule"),
        fact_column("severity", "core.severity", severity),
        Column("message", "BIGINT"),
        fact_column("message_id", "VARCHAR", "Id of the message"),
        key_column(Reference.DATASET, "dataset", "Where the rule was broken"),
        key_column(Reference.POLICY, "policy", "The policy of the first breach", shown="policy_id"),
        fact_column("first_at", "TIMESTAMP", "The first breach, UTC"),
        fact_column("last_at", "TIMESTAMP", "The last breach, UTC"),
        fact_column("arrivals", "BIGINT", "How many arrivals broke it"),
        Column("first_hop", "VARCHAR", shown="first_hop", comment=first_hop, none=""),
        Column("hop", "BIGINT"),
        Column("declaration", "BIGINT"),
    )


_SEVERITY = "LOW, MEDIUM, HIGH or CRITICAL"
_FLAG = Table(
    "flag",
    view="flag",
    comment="Rules broken: one row a rule, message and dataset, as it stands now",
    columns=_flag(
        f"{_SEVERITY}, by the policy of the first breach",
        "The hop of the first breach (ties: the smaller id); null for the origin",
    ),
)
_FLAG_HISTORY = Table(
    "flag_history",
    view="flag_history",
    comment="Every raising and clearing of a flag, in the order in which the tracker found it. The "
    "other columns are those of the flag then",
    where="status <> 'UPDATED'",
    columns=(
        fact_column(
            "seq", "BIGINT", "Ascending; a number that is left out went to an update of a flag"
        ),
        fact_column("status", "core.status", "RAISED or CLEARED"),
        *_flag(_SEVERITY, "The hop of the first breach; null for the origin"),
        recorded_at_column(),
    ),
)
# The inputs that no message was in at the hop's instant. Why, the view `unmatched_input` finds.
_UNMATCHED_INPUT = Table(
    "unmatched_input", columns=(Column("hop", "BIGINT"), Column("record", "BIGINT"))
)
_CONFLICT = Table(
    "conflict",
    view="conflict",
    comment="Events of which two or more versions came under one id. One row a version",
    columns=(
        fact_column("event", "VARCHAR", "Type of the event, as MessageSent"),
        key_column(Reference.ID, "id", "The id they share", shown="event_id"),
        fact_column("sha256", "VARCHAR", "SHA-256 of the canonical JSON, hex"),
        fact_column("content", "VARCHAR", "The canonical JSON"),
        fact_column("counts", "BOOLEAN", "true for the version that counts: the smallest sha256"),
    ),
)
_DEAD_LETTER = Table(
    "dead_letter",
    view="dead_letter",
    comment="What could not be decoded or breaks the contract. Never its bytes, which could hold "
    "text of a message",
    columns=(
        fact_column("source", "VARCHAR", "Topic or file that it was read from"),
        fact_column("partition", "INTEGER", "Partition of the topic; 0 for a file"),
        fact_column(
            "position",
            "BIGINT",
            "Offset in the partition; line or record of the file, from 1",
        ),
        fact_column("reason", "VARCHAR", "What was wrong and what would be right"),
        fact_column("sha256", "VARCHAR", "SHA-256 of the bytes, hex"),
        recorded_at_column(),
    ),
)
_INGEST_POSITION = Table(
    "ingest_position",
    view="ingest_position",
    comment="How far each partition has been recorded, together with what it held",
    columns=(
        fact_column("topic", "VARCHAR", "Kafka topic"),
        fact_column("partition", "INTEGER", "Partition of the topic"),
        fact_column("next_offset", "BIGINT", "The offset to go on from"),
        fact_column(
            "last_sha256",
            "VARCHAR",
            "SHA-256 of the value of the record before it, hex; null if there was none",
        ),
    ),
)
# A topic made anew, or one of another cluster, has other ids.
_INGEST_TOPIC = Table(
    "ingest_topic",
    view="ingest_topic",
    comment="The topics that ingest_position is of, beyond their names",
    columns=(
        fact_column("topic", "VARCHAR", "Kafka topic"),
        fact_column("cluster_id", "VARCHAR", "Id of the Kafka cluster that it is in"),
        fact_column(
            "topic_id",
            "VARCHAR",
            "Id that Kafka gave it; another once it is deleted and made anew",
        ),
    ),
)
# What the database held when its digest was noted, to be held against it later.
_DIGEST_NOTE = Table(
    "digest_note",
    view="digest_note",
    comment="Digests that were noted, to tell later whether anything was changed since. One row a "
    "note",
    columns=(
        fact_column("number", "INTEGER", "1, 2, 3 …"),
        fact_column("noted_at", "TIMESTAMP", "When it was noted, UTC; null if it was not told"),
        fact_column("digest", "VARCHAR", "The digest, SHA-256 in hex"),
        fact_column("events", "BIGINT", "How many events there were"),
        fact_column("arrivals", "BIGINT", "How many arrivals there were"),
        fact_column("holds", "BOOLEAN", "false once anything was recorded after it"),
        Column("tables", "VARCHAR"),
        # SHA-256 of the other columns but `holds`.
        Column("seal", "VARCHAR"),
    ),
)

# In the order in which ids get their keys: tables come after those that they refer to.
EVENT_TABLES: Final = (
    _MESSAGE,
    _MESSAGE_PARTY,
    _HOP_INPUT,
    _HOP_OUTPUT,
    _HOP,
    _CONSENT_CHANGE,
    _DECLARATION,
    _POLICY,
    _RUN_REPORT,
)
TABLES: Final = (
    *EVENT_TABLES,
    _ARRIVAL,
    _FLAG,
    _FLAG_HISTORY,
    _UNMATCHED_INPUT,
    _CONFLICT,
    _DEAD_LETTER,
    _INGEST_POSITION,
    _INGEST_TOPIC,
    _DIGEST_NOTE,
)
_BY_NAME: Final = {each.name: each for each in TABLES}


def table(name: str) -> Table:
    """Return the table core.`name`; KeyError for one that is not in the model."""
    return _BY_NAME[name]
