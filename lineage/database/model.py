"""The model of the tables: what a column is, and what a table. `database.tables` declares them."""

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
    "value_column",
]


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
    """Return a column of codes; `field` is named like them where it is not given."""
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
