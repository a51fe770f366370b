"""Lineage that travels with a Kafka record, in its headers.

`lineage-record` says which records a Kafka record is: `1;DATASET:RECORD,DATASET:RECORD…`, in ASCII,
names percent-encoded as in a URL, 1 being the version. A consumer takes them as the inputs of its
hop, whatever topic, partition and offset the record has by then. It names at most 64 records in at
most 8,192 bytes; where there were more, `lineage-record-cut` says how many were left out. No other
header is touched, `traceparent` neither.
"""

from __future__ import annotations

from .extract import extract
from .inject import inject
from .record import RECORD_CUT_HEADER, RECORD_HEADER, Record, kafka_record

__all__ = ["RECORD_CUT_HEADER", "RECORD_HEADER", "Record", "extract", "inject", "kafka_record"]
