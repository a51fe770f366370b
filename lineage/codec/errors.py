"""The errors of codec: every one that it raises on purpose.

SchemasError
├── EncodeError      an event that breaks the contract was to be written
├── LogError         a path that is no event log, or one that can't be read
└── RegistryError    a schema registry that is away or does not answer as it should
    └── UnknownSchemaError    it answers: there is no Avro schema with this id
        └── NotAvroError      it answers: the schema with this id is of another kind

A value that breaks the contract raises no error: it becomes a `DeadLetter`.
"""

from __future__ import annotations

from lineage.codec.contract.errors import EncodeError, SchemasError

__all__ = [
    "EncodeError",
    "LogError",
    "NotAvroError",
    "RegistryError",
    "SchemasError",
    "UnknownSchemaError",
]


class LogError(SchemasError):
    """A path is not an event log, or can't be read."""


class RegistryError(SchemasError):
    """A schema registry does not answer, or answers with something else than a schema."""


class UnknownSchemaError(RegistryError):
    """There is no Avro schema with this id: each value that names it is a dead letter."""


class NotAvroError(UnknownSchemaError):
    """The schema with this id is of another kind, such as JSON or Protobuf."""
