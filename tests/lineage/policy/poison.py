"""Policies made to cost more than any batch is worth, each with words of the reason it is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from tests.lineage.events.builders import Event, document, policy


def nested(opened: str, core: str, closed: str, depth: int) -> str:
    return opened * depth + core + closed * depth


def ruled(*whens: str) -> str:
    return document([(f"r{i}", "LOW", when) for i, when in enumerate(whens)])


_BIG = 9223372036854775807
_MASKED = f" * {_BIG}, {_BIG})"

# Rules, most of them short, that took minutes, gigabytes or both; and what each reason says.
RULES: dict[str, tuple[str, str]] = {
    "between in between": (
        nested("(", "message_id = 'x'", ") between false and true", 18),
        "too large",
    ),
    "in within in": (
        nested("(", "message_id = 'x'", ") in (confidential, disclosed)", 18),
        "too large",
    ),
    "failures masked": (
        nested("coalesce(", "length(message_id)", _MASKED, 8) + " > 0",
        "too long",
    ),
    "failures tried": (
        nested(
            f"(case when (try({_BIG} * ", "length(message_id)", f")) is null then {_BIG} end)", 8
        )
        + " > 0",
        "too long",
    ),
    "regexp of repetitions": ("regexp_matches(message_id, '(a{500}){500}')", "too large"),
    "regexp of repeated dots": ("regexp_matches(message_id, '(.{90}x){9}')", "too large"),
    "regexp of properties": ("regexp_matches(message_id, '" + "\\pL?" * 90 + "')", "too large"),
    "glob of wildcards": ("message_id glob '" + "*[a]?" * 16 + "'", "more than one *"),
    "like by another text": ("message_id like dataset", "literal"),
    "like by joined text": ("message_id like '%' || dataset || '%_'", "literal"),
    "text that doubles": (
        "concat(" + ", ".join(["message_id"] * 200) + ") = 'x'",
        "4096 bytes",
    ),
    "text that doubles at every level": (
        nested("concat(message_id, dataset, recipient, ", "kind", ")", 9) + " = 'x'",
        "4096 bytes",
    ),
    "letters turned again and again": (
        nested("reverse(", "message_id", ")", 45) + " = 'x'",
        "too long",
    ),
    "letters in lower case": (nested("lower(", "message_id", ")", 40) + " = 'x'", "4096 bytes"),
    "many failures": (
        " or ".join(f"length(message_id) * {_BIG - i} > 0" for i in range(80)),
        "too long",
    ),
    "many numbers in text": (" or ".join(f"message_id = {i}.5" for i in range(150)), "too long"),
    "many parts": ("confidential in (" + ",".join("1" * 1500) + ")", "too large"),
    "many levels": (nested("not (", "confidential", ")", 120), "too large"),
    "many levels of case": (
        nested("case when confidential then true else ", "disclosed", " end", 75),
        "too large",
    ),
    "an operand copied": (
        "case " + "+".join(["1"] * 100) + " when 1 then true" * 200 + " end",
        "between CASE and WHEN",
    ),
}
DOCUMENTS: dict[str, tuple[Callable[[], str], str]] = {
    "5,000 rules": (lambda: ruled(*["true"] * 5000), "at most"),
    "101 rules": (lambda: ruled(*["true"] * 101), "at most 100 entries"),
    "methods": (
        lambda: document([], declassification=[(f"m{i}", 1) for i in range(101)]),
        "at most 100 entries",
    ),
    "long rules": (
        lambda: ruled(*("kind = '" + "x" * 4000 + f"{i}'" for i in range(60))),
        "at most 32768 bytes together",
    ),
    "large rules": (
        lambda: ruled(*(f"kind in ({','.join(['null'] * 300)}, '{i}')" for i in range(90))),
        "parts together",
    ),
    "large rules, the same ones": (
        lambda: ruled(*["kind in (" + ",".join(["1"] * 150) + ")"] * 90),
        "together",
    ),
    "rules that are slow together": (
        lambda: ruled(*(f"reverse(message_id) = '{i}'" for i in range(60))),
        "too long",
    ),
    "rules that are slow together, asked of datasets": (
        lambda: ruled(*(f"reverse(dataset) = '{i}'" for i in range(99))),
        "too long",
    ),
    "values": (lambda: json.dumps({"rules": [0] * 80_000}), "at most 5000 values"),
    "values in YAML": (lambda: "rules: [" + "a," * 100_000 + "]", "at most 5000 values"),
}
POISONS: dict[str, tuple[Callable[[], str], str]] = {
    **{name: (partial(ruled, "true", when), said) for name, (when, said) in RULES.items()},
    **DOCUMENTS,
}


def poison(name: str, policy_id: str, effective_at: str) -> Event:
    """Give the event that publishes one of POISONS."""
    return {**policy(policy_id, effective_at=effective_at), "document": POISONS[name][0]()}
