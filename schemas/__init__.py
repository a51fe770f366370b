"""The contract: one .avsc file an event, and bytes to typed batches and back."""

from schemas.avro_container import write_container
from schemas.batch import Batch, DeadLetter
from schemas.canonical import canonical_json
from schemas.errors import EncodeError, LogError, RegistryError, SchemasError, UnknownSchemaError
from schemas.events import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    FLAG_RAISED,
    INPUTS,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    EventType,
    by_name,
    by_topic,
)
from schemas.json_events import from_events, from_json_lines
from schemas.log import LogFile, log_files, read_events, read_log
from schemas.registry import HttpRegistry, LocalIds, Registry, registry_at
from schemas.wire import Decoder, Encoder

__all__ = [
    "CONSENT_CHANGED",
    "DATASET_DECLARED",
    "FLAG_RAISED",
    "INPUTS",
    "MESSAGE_SENT",
    "POLICY_PUBLISHED",
    "RECORDS_MOVED",
    "Batch",
    "DeadLetter",
    "Decoder",
    "EncodeError",
    "Encoder",
    "EventType",
    "HttpRegistry",
    "LocalIds",
    "LogError",
    "LogFile",
    "Registry",
    "RegistryError",
    "SchemasError",
    "UnknownSchemaError",
    "by_name",
    "by_topic",
    "canonical_json",
    "from_events",
    "from_json_lines",
    "log_files",
    "read_events",
    "read_log",
    "registry_at",
    "write_container",
]
