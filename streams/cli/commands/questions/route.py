"""`route`: draws the route of one message as a tree."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.errors import BAD_INPUT, Failure
from streams.cli.output.route_tree import Arrival, RouteTree, Step
from streams.cli.output.stdout import Shape, console, text, write_relation
from streams.cli.reader import reader_of
from streams.json_values import instant

if TYPE_CHECKING:
    from rich.text import Text

_DEPTH_MAX = 60
"""Deeper steps would start beyond the right edge of any terminal."""


@click.command()
@click.argument("message_id")
@options.database
@options.limit
@options.as_json
def route(message_id: str, db: Path, limit: int, as_json: bool) -> None:
    """Draw the way of a message: where it went, when, under which policy and consent.

    What breaks a rule is in red. --json writes a row for each arrival and each record that it
    came from.
    """
    with reader_of(db) as store:
        relation = store.route(message_id)
        if as_json:
            found = write_relation(relation, Shape("json"))
        else:
            columns = relation.columns
            rows = [dict(zip(columns, row, strict=True)) for row in relation.fetchall()]
            found = len(rows)
            if rows:
                _draw(RouteTree.of(rows), limit if sys.stdout.isatty() else 0)
    if not found:
        raise Failure(f"{db} knows no message {message_id[:64]!r}", BAD_INPUT)


def _draw(route_tree: RouteTree, limit: int) -> None:
    from rich.tree import Tree

    tree: Tree | None = None
    branches: list[Tree] = []
    shown, left_out = 0, 0
    for step in route_tree.steps():
        if step.depth >= _DEPTH_MAX or (limit and shown >= limit):
            left_out += 1
            continue
        shown += 1
        if tree is None or step.depth == 0:
            branch = tree = Tree(_label(step)) if tree is None else tree.add(_label(step))
            branches = [branch] if step.depth == 0 else branches
        else:
            branch = branches[step.depth - 1].add(_label(step))
        branches[step.depth :] = [branch]
    if tree is not None:
        console().print(tree)
    if left_out:
        click.echo(f"{left_out:,} further steps are left out; --json gives all", err=True)


def _label(step: Step) -> Text:
    from rich.text import Text

    arrival, label = step.arrival, Text()
    label.append(text(arrival["dataset"]), style="bold red" if arrival["rules"] else "bold")
    label.append(f"  {text(arrival['record_id'])}")
    label.append(f"  {instant(arrival['arrived_at'])}", style="cyan")
    if step.again:
        label.append(f"  ({step.again})", style="yellow")
        return label
    label.append(f"\n{_movement(arrival)} · {_dataset_facts(arrival)}", style="dim")
    label.append(f"\n{_policy_facts(arrival)}", style="dim")
    for rule in arrival["rules"]:
        label.append(f"\n✗ {text(rule)}", style="bold red")
    return label


def _movement(arrival: Arrival) -> str:
    if arrival["hop_id"] is None:
        return f"sent ({text(arrival['channel'])})"
    return f"{arrival['operation']} by {text(arrival['job'])}, hop {text(arrival['hop_id'])}"


def _dataset_facts(arrival: Arrival) -> str:
    identifiable = "identifiable" if arrival["identifiable"] else "declassified"
    if not arrival["declared"]:
        return f"{identifiable} · undeclared dataset"
    recipient = f" {text(arrival['recipient'])}" if arrival["recipient"] is not None else ""
    return f"{identifiable} · {arrival['kind']}, {arrival['party']} party{recipient}"


def _policy_facts(arrival: Arrival) -> str:
    disclosed = "disclosed" if arrival["disclosed"] else "not disclosed"
    consents = ", ".join(
        f"{name} {'yes' if arrival[column] else 'no'}"
        for name, column in (
            ("AI training", "ai_training_consent"),
            ("third party", "third_party_consent"),
        )
    )
    tags = [t for t in ("confidential", "exempt_region") if arrival[t]]
    said = "".join(f" · {tag.replace('_', ' ')}" for tag in tags)
    return f"policy {text(arrival['policy_id'])} ({disclosed}) · consent: {consents}{said}"
