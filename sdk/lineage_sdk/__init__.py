"""message-lineage's SDK: reports which records a job moved, and never stands in its way.

>>> from lineage_sdk import hop
>>> with hop("crm.contacts", "warehouse.contacts") as h:
...     h.keep(["contact-1", "contact-2"])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .builders import (
    consent_changed,
    dataset_declared,
    message_party,
    message_sent,
    policy_published,
    records_moved,
    run_reported,
    wrong,
)
from .delivery.current import configure, counters, emitter, flush
from .delivery.emitter import Counters
from .errors import EventError, SdkError, SettingsError
from .headers import Record, extract, inject, kafka_record
from .hops.blocks import BlockLimits
from .hops.hop import Hop, hop
from .runs import Run, count_hop, current_run

__version__ = "0.1.0"

__all__ = [
    "BlockLimits",
    "Counters",
    "EventError",
    "Hop",
    "Record",
    "Run",
    "SdkError",
    "SettingsError",
    "configure",
    "consent_changed",
    "counters",
    "current_run",
    "dataset_declared",
    "emit",
    "extract",
    "flush",
    "hop",
    "inject",
    "kafka_record",
    "message_party",
    "message_sent",
    "policy_published",
    "records_moved",
    "run",
    "run_reported",
    "wrong",
]


def emit(event: Mapping[str, Any], *, strict: bool | None = None) -> bool:
    """Report an event in the JSON spelling; return whether the tracker would take it.

    A hop counts in the run that it names, if that is open. What the tracker would not take is
    counted and logged, or raises EventError (strict; None: as LINEAGE_STRICT says).
    """
    taken = emitter().emit(event, strict)
    if taken and isinstance(event, Mapping) and event.get("event") == "RecordsMoved":
        count_hop(event)
    return taken


run = Run
