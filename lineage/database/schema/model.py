"""The model of columns and tables, which `database.schema.tables` declares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

__all__ = [
    "Column",
    "Reference",
    "Table",
    "code_column",
    "fact_column",
    "id_column",
    "key_column",
    "recorded_at_column",
    "value_column",
]


class Reference(Enum):
    """A foreign key: the relation with the texts (by its `id`), their column, the key's type."""

    ID = ("core.identity", "text", "BIGINT")
    DATASET = ("core.dataset_name", "text", "INTEGER")
    MEMBER = ("core.member", "text", "INTEGER")
    POLICY = ("core.policy", "policy_id", "BIGINT")

    @property
    def relation(self) -> str:
        """Return the relation that has a row for each key."""
        return self.value[0]

    @property
    def text(self) -> str:
        """Return the column of the relation that has the text."""
        return self.value[1]

    @property
    def type(self) -> str:
        """Return DuckDB's type of the key."""
        return self.value[2]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: The name in the core table.
        type: DuckDB's type, with the constraints of CREATE TABLE.
        field: The column of a batch's table that this one stores; "" for a derived column.
        reference: The foreign key of a column of keys; None where the value is stored as it is.
        label: The kind of code in the column (`database.codes.LABELS`); "" for none.
        shown: The name in the view; "" where the view leaves the column out.
        comment: The meaning, for auditors.
        digested: True for a column in the digest that the view leaves out.
        nullable: True where a key may be none.
        none: A value that the view shows as null.
        provenance: True for a column that tells where and when the tracker learned of the row, and
            not what the row says: the digest leaves it out, and versions do not differ by it.
    """

    name: str
    type: str
    field: str = ""
    reference: Reference | None = None
    label: str = ""
    shown: str = ""
    comment: str = ""
    digested: bool = False
    provenance: bool = False
    nullable: bool = False
    none: str | None = None


@dataclass(frozen=True)
class Table:
    """A table of the schema `core`, and the view of it.

    Attributes:
        name: The name in core.
        columns: The columns, in the order of the table, and of the view.
        batch: The table of a batch whose rows this one stores; "" for a derived table.
        owner: In a child table, the column with the id of the parent.
        view: The name of the view; "" for none.
        comment: The meaning of a row, for auditors.
        where: The condition of rows that the view shows; "" for all.
        digest_where: The condition of rows that the digest is of; "" for all.
    """

    name: str
    columns: tuple[Column, ...]
    batch: str = ""
    owner: str = ""
    view: str = ""
    comment: str = ""
    where: str = ""
    digest_where: str = ""

    @cached_property
    def kept(self) -> tuple[Column, ...]:
        """Return the columns that a batch fills in."""
        return tuple(column for column in self.columns if column.field)

    @cached_property
    def canonical(self) -> tuple[Column, ...]:
        """Return the columns that the digest reads."""
        return tuple(
            column
            for column in self.columns
            if (column.shown or column.digested) and not column.provenance
        )

    @cached_property
    def key(self) -> str:
        """Return the name of the column that tells to which event a row belongs."""
        return self.owner or "id"


def id_column(field: str, *, shown: bool = True, comment: str = "") -> Column:
    """Return the surrogate key of an event, of which `field` is the id."""
    name = field if shown else ""
    return Column("id", "BIGINT", field, Reference.ID, shown=name, comment=comment)


def key_column(
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


def code_column(
    label: str, comment: str, *, type_: str = "UTINYINT", field: str | None = None
) -> Column:
    """Return a column of codes; field: None for the same name as the label."""
    of = label if field is None else field
    return Column(label, type_, of, label=label, shown=label, comment=comment)


def value_column(
    name: str, type_: str, comment: str, *, shown: str = "", field: str = ""
) -> Column:
    """Return a column that keeps a batch's value as it is."""
    return Column(name, type_, field or name, shown=shown or name, comment=comment)


def fact_column(name: str, type_: str, comment: str, shown: str = "") -> Column:
    """Return a column that is derived, or recorded by the tracker itself."""
    return Column(name, type_, shown=shown or name, comment=comment)


def recorded_at_column() -> Column:
    """Return the column with the instant at which the tracker recorded a row."""
    comment = "When the tracker recorded it, UTC; null if it was not told"
    return Column(
        "recorded_at",
        "TIMESTAMP USING COMPRESSION rle",
        shown="recorded_at",
        comment=comment,
        provenance=True,
    )
