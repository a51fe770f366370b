"""Codes: enums and regions are stored as small integers, the place of a label among its kind's."""

from __future__ import annotations

from itertools import product
from string import ascii_uppercase
from typing import Final

from lineage.codec.contract.events import (
    BASES,
    CHANNELS,
    KINDS,
    OPERATIONS,
    PARTIES,
    PURPOSES,
    ROLES,
    STATES,
    TIERS,
)

REGIONS: Final = tuple("".join(pair) for pair in product(ascii_uppercase, repeat=2))
# The operation of an origin, which no hop has.
SEND: Final = 0
LABELS: Final[dict[str, tuple[str, ...]]] = {
    "channel": CHANNELS,
    "role": ROLES,
    "tier": TIERS,
    "region": REGIONS,
    "operation": ("SEND", *OPERATIONS),
    "purpose": PURPOSES,
    "basis": BASES,
    "kind": KINDS,
    "party": PARTIES,
    "state": STATES,
}
