"""Puts datasets into layers, so that flows go from left to right as far as they can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from streams.console.flows import Flow

__all__ = ["layers_of"]


def layers_of(flows: Sequence[Flow]) -> Mapping[str, int]:
    """Return the layer of each dataset: one more than the greatest of those that feed it.

    Flows that would close a cycle, found in the order of a search in depth, do not count.
    """
    onward: dict[str, list[str]] = {}
    for flow in flows:
        onward.setdefault(flow.source, []).append(flow.target)
        onward.setdefault(flow.target, [])
    fed = {flow.target for flow in flows if flow.source != flow.target}
    order = _ordered([*(n for n in onward if n not in fed), *onward], onward)
    place = {name: number for number, name in enumerate(order)}
    layer = dict.fromkeys(order, 0)
    for name in order:
        for target in onward[name]:
            if place[target] > place[name]:
                layer[target] = max(layer[target], layer[name] + 1)
    return layer


def _ordered(roots: Iterable[str], onward: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the datasets such that each comes before those it feeds, but for cycles."""
    done: list[str] = []
    seen: set[str] = set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        waiting = [(root, iter(onward[root]))]
        while waiting:
            name, targets = waiting[-1]
            target = next((each for each in targets if each not in seen), None)
            if target is None:
                done.append(name)
                waiting.pop()
            else:
                seen.add(target)
                waiting.append((target, iter(onward[target])))
    return done[::-1]
