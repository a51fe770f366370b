"""The model of the tables: every column of the database, declared once.

From it follow CREATE TABLE, INSERT, the views that auditors read and their comments, the digest's
lines (`database.ddl`), how a batch is encoded (`ingest.encode`), and which columns are keys
(`keys.assign`). A field that an event gains is added to its .avsc and here, and nowhere else.

What is a question, rather than a column, is in the .sql files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

__all__ = ["EVENT_TABLES", "TABLES", "Column", "Reference", "Table", "table"]


class Reference(Enum):
    """Where a column's integer (`id` there) stands for a text: relation, column and key's type."""

    ID = ("core.identity", "text", "BIGINT")
    DATASET = ("core.dataset_name", "text", "INTEGER")
    MEMBER = ("core.member", "text", "INTEGER")
    POLICY = ("core.policy", "policy_id", "BIGINT")

    @property
    def relation(self) -> str:
        """The relation that has a row for each key."""
        return self.value[0]

    @property
    def text(self) -> str:
        """The column of the relation that has the text."""
        return self.value[1]

    @property
    def type(self) -> str:
        """DuckDB's type of the key."""
        return self.value[2]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its name in the core table.
        type: DuckDB's, with what else CREATE TABLE says of it.
        field: The column of a batch's table that it keeps; "" for what is derived.
        reference: What its integer stands for; None where the value is kept as it is.
        label: The kind of code that it holds (`database.codes.LABELS`); "" for none.
        shown: Its name in the view; "" where the view leaves it out.
        comment: What it means, for auditors.
        digested: Whether it is in the digest, though the view leaves it out.
        nullable: Whether its reference may be none.
        none: A value that the view shows as null.
    """

    name: str
    type: str
    field: str = ""
    reference: Reference | None = None
    label: str = ""
    shown: str = ""
    comment: str = ""
    digested: bool = False
    nullable: bool = False
    none: str | None = None


@dataclass(frozen=True)
class Table:
    """A table of the schema `core`, and the view of it.

    Attributes:
        name: Its name in core.
        columns: In the order of the table, and of the view.
        batch: The table of a batch whose rows it keeps; "" for what is derived.
        owner: For rows that hang on those of another table, the column with its id.
        view: The name of the view; "" for none.
        comment: What a row is, for auditors.
        where: Which rows the view shows; "" for all.
    """

    name: str
    columns: tuple[Column, ...]
    batch: str = ""
    owner: str = ""
    view: str = ""
    comment: str = ""
    where: str = ""

    @cached_property
    def kept(self) -> tuple[Column, ...]:
        """The columns that a batch fills in."""
        return tuple(column for column in self.columns if column.field)

    @cached_property
    def key(self) -> str:
        """The column that tells to which event a row belongs."""
        return self.owner or "id"


def _id(field: str, *, shown: bool = True, comment: str = "") -> Column:
    """Return the surrogate key of an event, of which `field` is the id."""
    name = field if shown else ""
    return Column("id", "BIGINT", field, Reference.ID, shown=name, comment=comment)


def _key(
    reference: Reference,
    name: str,
    comment: str,
    *,
    shown: str = "",
    field: str = "",
    nullable: bool = False,
) -> Column:
    """Return a column whose integer stands for a text."""
    return Column(
        name,
        reference.type,
        field,
        reference,
        shown=shown or name,
        comment=comment,
        nullable=nullable,
    )


def _code(label: str, comment: str, *, type_: str = "UTINYINT", field: str | None = None) -> Column:
    """Return a column of codes; `field` is named like them where it is not given."""
    of = label if field is None else field
    return Column(label, type_, of, label=label, shown=label, comment=comment)


def _value(name: str, type_: str, comment: str, *, shown: str = "", field: str = "") -> Column:
    """Return a column that keeps a batch's value as it is."""
    return Column(name, type_, field or name, shown=shown or name, comment=comment)


def _fact(name: str, type_: str, comment: str, shown: str = "") -> Column:
    """Return a column that is derived, or recorded by the tracker itself."""
    return Column(name, type_, shown=shown or name, comment=comment)


_TAG = "The tag on the message; a consent change can say otherwise later"
_MESSAGE = Table(
    "message",
    batch="messages",
    view="message",
    comment="What members sent; never its text. One row a message",
    columns=(
        _id("message_id", comment="Id of the message"),
        _code("channel", "INMAIL, DIRECT or GROUP"),
        _key(
            Reference.DATASET,
            "dataset",
            "Origin: the dataset in which the message was born as the record message_id",
            field="dataset",
        ),
        _value("sent_at", "TIMESTAMP", "When it was sent, UTC"),
    ),
)
_MESSAGE_PARTY = Table(
    "message_party",
    batch="parties",
    owner="message",
    view="message_party",
    comment="Who sent and who received a message, with the tags of that moment. One row a party",
    columns=(
        _key(Reference.ID, "message", "Id of the message", shown="message_id"),
        Column("ordinal", "USMALLINT", "ordinal"),
        _code("role", "SENDER (exactly one) or RECIPIENT"),
        _key(Reference.MEMBER, "member", "Id of the member", shown="member_id", field="member_id"),
        _code("tier", "FREE, PREMIUM_CAREER, PREMIUM_BUSINESS, SALES_NAVIGATOR or RECRUITER"),
        _code("region", "ISO 3166 alpha-2 code", type_="USMALLINT"),
        _value("ai_training_consent", "BOOLEAN", _TAG),
        _value("third_party_consent", "BOOLEAN", _TAG),
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
        _id("hop_id", comment="Id of the hop"),
        _key(Reference.ID, "run", "Id of the run of the job", shown="run_id", field="run_id"),
        _value("job", "VARCHAR", "Name of the job"),
        _code(
            "operation",
            "COPY, TRANSFORM, JOIN, AGGREGATE, ANONYMIZE, EMBED, TRAIN, EXPORT or READ",
        ),
        _key(Reference.DATASET, "source", "Dataset that was read", field="source"),
        _key(Reference.DATASET, "target", "Dataset that was written", field="target"),
        _value(
            "method",
            "VARCHAR",
            "Claimed method of declassification, null for none; whether it counts is for the "
            "policy in force",
            shown="declass_method",
        ),
        _value("k", "INTEGER", "The k of that method", shown="declass_k"),
        _value("moved_at", "TIMESTAMP", "When it moved, UTC"),
        Column("keeps_id", "BOOLEAN"),
        Column("declassifies", "BOOLEAN"),
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
        _id("change_id", comment="Id of the change"),
        _key(Reference.MEMBER, "member", "Id of the member", shown="member_id", field="member_id"),
        _code("purpose", "AI_TRAINING or THIRD_PARTY"),
        _value(
            "granted",
            "BOOLEAN",
            "true: granted; false: refused, which wins at the same instant",
        ),
        _code("basis", "MEMBER, DEFAULT or POLICY: whose word it is"),
        _value("effective_at", "TIMESTAMP", "From when it holds, UTC"),
    ),
)
_DECLARATION = Table(
    "declaration",
    batch="declarations",
    view="dataset",
    comment="Declarations of datasets. One row a declaration; a dataset that is not here is "
    "undeclared",
    columns=(
        _id("declaration_id", shown=False),
        # Few, and asked for as a text where two declarations hold from one instant.
        Column("declaration_id", "VARCHAR", "declaration_id", digested=True),
        _key(Reference.DATASET, "dataset", "Name of the dataset", field="dataset"),
        _code("kind", "TOPIC, TABLE, FEATURE_STORE, TRAINING_CORPUS, MODEL or SINK"),
        _code("party", "FIRST or THIRD: whose it is"),
        _value("recipient", "VARCHAR", "The named third party, or null"),
        _value(
            "declared_at",
            "TIMESTAMP",
            "From when it holds, UTC; the earliest one of a dataset holds before it too",
        ),
    ),
)
# id = 0 is the built-in policy.
_POLICY = Table(
    "policy",
    batch="policies",
    view="policy",
    comment="Published policies. One row a policy; before the first, the built-in policy "
    "(policy_id built-in) holds",
    where="id <> 0",
    columns=(
        _id("policy_id", shown=False),
        _value("policy_id", "VARCHAR", "Id of the policy"),
        _value("effective_at", "TIMESTAMP", "From when it holds, UTC"),
        _value("disclosed_at", "TIMESTAMP", "When it was disclosed, UTC; null: never"),
        _value("document", "VARCHAR", "Its text, YAML"),
        Column("paying_tiers", "UTINYINT"),
        Column("exempt_regions", "VARCHAR[]"),
    ),
)
# hop = 0: the origin (SEND).
_ARRIVAL = Table(
    "arrival",
    view="arrival",
    comment="Where messages went: one row for the origin of each message, and one for each "
    "message, hop and target record",
    columns=(
        _key(Reference.ID, "message", "Id of the message", shown="message_id"),
        _key(
            Reference.ID,
            "hop",
            "The hop that carried it; null at the origin",
            shown="hop_id",
            nullable=True,
        ),
        _key(Reference.DATASET, "dataset", "Where it arrived"),
        _key(Reference.ID, "record", "The record that holds it there", shown="record_id"),
        _code("operation", "That of the hop; SEND at the origin", field=""),
        _fact("arrived_at", "TIMESTAMP", "moved_at of the hop, sent_at at the origin; UTC"),
        _fact(
            "identifiable", "BOOLEAN", "false: declassified on the way, by the policy then in force"
        ),
    ),
)


def _flag(severity: str, first_hop: str) -> tuple[Column, ...]:
    """Return the columns of a flag. They are few and often asked for, so ids are texts."""
    return (
        _fact("rule", "VARCHAR", "Id of the rule"),
        _fact("severity", "core.severity", severity),
        Column("message", "BIGINT"),
        _fact("message_id", "VARCHAR", "Id of the message"),
        _key(Reference.DATASET, "dataset", "Where the rule was broken"),
        _key(Reference.POLICY, "policy", "The policy of the first breach", shown="policy_id"),
        _fact("first_at", "TIMESTAMP", "The first breach, UTC"),
        _fact("last_at", "TIMESTAMP", "The last breach, UTC"),
        _fact("arrivals", "BIGINT", "How many arrivals broke it"),
        Column("first_hop", "VARCHAR", shown="first_hop", comment=first_hop, none=""),
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
    columns=(
        _fact("seq", "BIGINT", "1, 2, 3 …"),
        _fact("status", "core.status", "RAISED or CLEARED"),
        *_flag(_SEVERITY, "The hop of the first breach; null for the origin"),
        _fact(
            "recorded_at", "TIMESTAMP", "When the tracker recorded it, UTC; null if it was not told"
        ),
    ),
)
_CONFLICT = Table(
    "conflict",
    view="conflict",
    comment="Events of which two or more versions came under one id. One row a version",
    columns=(
        _fact("event", "VARCHAR", "Type of the event, as MessageSent"),
        _key(Reference.ID, "id", "The id they share", shown="event_id"),
        _fact("sha256", "VARCHAR", "SHA-256 of the canonical JSON, hex"),
        _fact("content", "VARCHAR", "The canonical JSON"),
        _fact("counts", "BOOLEAN", "true for the version that counts: the smallest sha256"),
    ),
)
_DEAD_LETTER = Table(
    "dead_letter",
    view="dead_letter",
    comment="What could not be decoded or breaks the contract. Never its bytes, which could hold "
    "text of a message",
    columns=(
        _fact("source", "VARCHAR", "Topic or file that it was read from"),
        _fact("partition", "INTEGER", "Partition of the topic; 0 for a file"),
        _fact(
            "position",
            "BIGINT",
            "Offset in the partition; line or record of the file, from 1",
        ),
        _fact("reason", "VARCHAR", "What was wrong and what would be right"),
        _fact("sha256", "VARCHAR", "SHA-256 of the bytes, hex"),
        _fact(
            "recorded_at", "TIMESTAMP", "When the tracker recorded it, UTC; null if it was not told"
        ),
    ),
)
_INGEST_POSITION = Table(
    "ingest_position",
    view="ingest_position",
    comment="How far each partition has been recorded, together with what it held",
    columns=(
        _fact("topic", "VARCHAR", "Kafka topic"),
        _fact("partition", "INTEGER", "Partition of the topic"),
        _fact("next_offset", "BIGINT", "The offset to go on from"),
    ),
)
# A topic made anew, or one of another cluster, has other ids.
_INGEST_TOPIC = Table(
    "ingest_topic",
    view="ingest_topic",
    comment="The topics that ingest_position is of, beyond their names",
    columns=(
        _fact("topic", "VARCHAR", "Kafka topic"),
        _fact("cluster_id", "VARCHAR", "Id of the Kafka cluster that it is in"),
        _fact(
            "topic_id",
            "VARCHAR",
            "Id that Kafka gave it; another once it is deleted and made anew",
        ),
    ),
)

# In the order in which ids get their keys: what later rows refer to comes first.
EVENT_TABLES: Final = (
    _MESSAGE,
    _MESSAGE_PARTY,
    _HOP_INPUT,
    _HOP_OUTPUT,
    _HOP,
    _CONSENT_CHANGE,
    _DECLARATION,
    _POLICY,
)
TABLES: Final = (
    *EVENT_TABLES,
    _ARRIVAL,
    _FLAG,
    _FLAG_HISTORY,
    _CONFLICT,
    _DEAD_LETTER,
    _INGEST_POSITION,
    _INGEST_TOPIC,
)
_BY_NAME: Final = {each.name: each for each in TABLES}


def table(name: str) -> Table:
    """Return the table core.`name`; KeyError for one that is not in the model."""
    return _BY_NAME[name]
