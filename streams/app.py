"""Gives Faust's own command its app: `faust -A streams.app worker`.

It is told what to do by LINEAGE_DB, LINEAGE_BOOTSTRAP, LINEAGE_GROUP, LINEAGE_REGISTRY_URL,
LINEAGE_MEMORY, and the variables of docs/kafka.md.
"""

from __future__ import annotations

from functools import partial

from lineage.codec import SchemasError
from streams.errors import StreamsError
from streams.worker.app import LineageApp
from streams.worker.configuration.settings import Settings
from streams.worker.run import end_process

__all__ = ["app"]

try:
    _settings = Settings.from_environment()
    app = LineageApp(_settings, partial(end_process, _settings))
except (StreamsError, SchemasError) as error:
    raise SystemExit(f"Error: {error}") from None
