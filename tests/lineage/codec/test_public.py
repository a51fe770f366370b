from pathlib import Path

from lineage import codec
from lineage.codec import errors

NAMES = {
    "CONSENT_CHANGED", "DATASET_DECLARED", "FLAG_RAISED", "INPUTS", "MESSAGE_SENT",
    "POLICY_PUBLISHED", "RECORDS_MOVED", "RUN_REPORTED", "Batch",
    "DeadLetter", "Decoder", "EncodeError",
    "Encoder", "EventType", "LocalIds", "LogError", "LogFile", "Registry",
    "RegistryError", "SchemasError", "UnknownSchemaError", "by_name", "by_topic",
    "canonical_json", "from_events", "from_json_lines", "log_files", "read_events", "read_log",
    "write_container",
}  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert set(codec.__all__) == NAMES


def test_every_error_is_in_the_tree_of_errors() -> None:
    found = {
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, Exception)
    }
    assert all(issubclass(getattr(errors, name), errors.SchemasError) for name in found)
    assert all(name in (errors.__doc__ or "") for name in found)


def test_no_file_needs_more_than_one_sitting() -> None:
    folder = Path(codec.__file__).parent
    long = [file.name for file in folder.rglob("*.py") if len(file.read_text().splitlines()) > 300]
    assert not long
