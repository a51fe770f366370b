"""What was written with a schema that was once published can be read for ever.

golden/ holds the schemas as published. To change one: add the new text beside the old.
"""

import json
from pathlib import Path
from typing import Any

import avro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from lineage import codec
from tests.lineage.codec.examples import TYPES

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.avsc"))


def reads(reader: str, writer: str) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # its own gap
    result = checker.get_compatibility(avro.schema.parse(reader), avro.schema.parse(writer))
    return result.compatibility is SchemaCompatibilityType.compatible


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_the_schema_of_today_reads_what_was_published(path: Path) -> None:
    published = path.read_text()
    today = codec.by_name(json.loads(published)["name"])
    assert reads(today.schema, published)


def test_every_schema_of_today_has_been_published() -> None:
    published = [json.loads(path.read_text()) for path in GOLDEN]
    assert all(json.loads(event.schema) in published for event in TYPES)


def changed(**fields: dict[str, Any]) -> str:
    schema = json.loads(codec.CONSENT_CHANGED.schema)
    for field in schema["fields"]:
        field.update(fields.get(field["name"], {}))
    schema["fields"] += [f for name, f in fields.items() if name == "more"]
    return json.dumps(schema)


@pytest.mark.parametrize(
    "incompatible",
    [
        changed(more={"name": "note", "type": "string"}),
        changed(granted={"type": "string"}),
        changed(effective_at={"type": "int"}),
        changed(basis={"type": {"type": "enum", "name": "Basis", "symbols": ["MEMBER"]}}),
    ],
    ids=["a field without a default", "another type", "a narrower type", "a symbol taken away"],
)
def test_a_change_that_loses_the_past_would_be_found(incompatible: str) -> None:
    assert not reads(incompatible, codec.CONSENT_CHANGED.schema)


def test_a_field_with_a_default_can_be_added() -> None:
    more = {"name": "note", "type": ["null", "string"], "default": None}
    assert reads(changed(more=more), codec.CONSENT_CHANGED.schema)
