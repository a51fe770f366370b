"""Puts an Avro schema together with those that it refers to, which a registry keeps apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastavro.repository import AbstractSchemaRepository, SchemaRepositoryError
from fastavro.schema import SchemaParseException, UnknownType, load_schema

__all__ = ["put_together"]

_WHOLE = ""  # no type has this name
_NO_SCHEMA = (SchemaParseException, SchemaRepositoryError, UnknownType)
_UNFIT = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


class _Parts(AbstractSchemaRepository):
    """Schemas by the full name of the type that each defines."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def load(self, name: str) -> Any:  # noqa: ANN401 - a schema, as JSON has it
        """Return a schema; raise SchemaRepositoryError where it is not among them."""
        try:
            return json.loads(self._texts[name])
        except (KeyError, ValueError):
            raise SchemaRepositoryError(name) from None


def put_together(schema: str, references: Mapping[str, str]) -> str:
    """Return a schema with the definitions of the types that it refers to, each written once.

    references: texts of schemas, by the full name of the type. A schema that cannot be put together
    is returned as it is: it can't be read then, and the reason is told where it is.
    """
    try:
        parts = _Parts({**references, _WHOLE: schema})
        return json.dumps(load_schema(_WHOLE, repo=parts, _write_hint=False))
    except (*_NO_SCHEMA, *_UNFIT):
        return schema
