"""Tunes Python's garbage collector, so that it does not go through everything again and again.

Libraries leave more than a hundred thousand objects behind when they are loaded, and a full
collection looks at each of them. Records off the wire, which live for a moment, are many enough to
bring on one for every few ten thousand of them.
"""

from __future__ import annotations

import gc

__all__ = ["few_collections", "usual_collections"]

_USUAL = gc.get_threshold()
# Of objects that came and stayed, until they are looked at; and of such rounds until the next
# generation is, twice.
_FEW = (20_000, 50, 100)


def few_collections() -> None:
    """Leave alone what is there now, and look at what comes more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_FEW)


def usual_collections() -> None:
    """Undo `few_collections`."""
    gc.set_threshold(*_USUAL)
    gc.unfreeze()
