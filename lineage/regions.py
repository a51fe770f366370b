"""Regions as whole numbers: their place among all pairs of capital letters."""

from __future__ import annotations

from itertools import product
from string import ascii_uppercase
from typing import Final

REGIONS: Final = tuple("".join(pair) for pair in product(ascii_uppercase, repeat=2))
