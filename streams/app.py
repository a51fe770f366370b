"""The app for Faust's own command: `faust -A streams.app worker`.

It is told what to do by LINEAGE_DB, LINEAGE_BOOTSTRAP, LINEAGE_GROUP and LINEAGE_REGISTRY_URL.
"""

from __future__ import annotations

from streams.processor import LineageApp
from streams.settings import Settings
from streams.worker import end_process

__all__ = ["app"]

app = LineageApp(Settings.from_environment(), end_process)
