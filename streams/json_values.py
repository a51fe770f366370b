"""Spells values of DuckDB in JSON and CSV, the same for commands and over HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

__all__ = ["csv_value", "instant", "jsonable"]


def instant(value: datetime) -> str:
    """Spell a datetime as RFC 3339 in UTC with six fractional digits; without a zone it is UTC."""
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return value.isoformat(timespec="microseconds") + "Z"


def jsonable(value: object) -> object:
    """Convert a value of DuckDB to one that JSON has."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return str(value)


def csv_value(value: object) -> object:
    """Convert a value of DuckDB to a field of CSV."""
    value = jsonable(value)
    return value if isinstance(value, (str, int, float)) else json.dumps(value, ensure_ascii=False)
