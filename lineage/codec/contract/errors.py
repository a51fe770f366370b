"""The errors of the contract; those of the rest of codec are built on the same base."""

from __future__ import annotations


class SchemasError(Exception):
    """Base of all errors of codec; the text is one sentence for a person."""


class EncodeError(SchemasError):
    """An event that breaks the contract can't be written; the text names the field."""
