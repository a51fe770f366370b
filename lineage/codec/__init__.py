"""The contract: one .avsc file an event; decodes bytes to typed batches, and encodes events."""

from lineage.codec.avro.container import write_container
from lineage.codec.batch import Batch, DeadLetter
from lineage.codec.contract.canonical import canonical_json
from lineage.codec.contract.events import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    FLAG_RAISED,
    INPUTS,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    RUN_REPORTED,
    EventType,
    by_name,
    by_topic,
)
from lineage.codec.errors import (
    EncodeError,
    LogError,
    RegistryError,
    SchemasError,
    UnknownSchemaError,
)
from lineage.codec.json.events import from_events, from_json_lines
from lineage.codec.log.files import read_events, read_log
from lineage.codec.log.listing import LogFile, log_files
from lineage.codec.registry import LocalIds, Registry
from lineage.codec.wire import Decoder, Encoder

__all__ = [
    "CONSENT_CHANGED",
    "DATASET_DECLARED",
    "FLAG_RAISED",
    "INPUTS",
    "MESSAGE_SENT",
    "POLICY_PUBLISHED",
    "RECORDS_MOVED",
    "RUN_REPORTED",
    "Batch",
    "DeadLetter",
    "Decoder",
    "EncodeError",
    "Encoder",
    "EventType",
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
    "write_container",
]
