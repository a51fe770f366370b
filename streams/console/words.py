"""Says in words what a flag means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lineage.policy.parse import BUILT_IN_DOCUMENT
from streams.console.page.rule_texts import rule_texts

__all__ = ["breach_in_words", "minutes"]

_OF_RULE: Final[Mapping[str, str]] = {
    "confidential-inmail-to-third-party": (
        "A confidential InMail, still identifiable, reached {where}, which belongs to a third"
        " party{whose}."
    ),
    "confidential-inmail-to-undeclared-dataset": (
        "A confidential InMail, still identifiable, reached {where}, which nobody has declared."
    ),
    "confidential-inmail-in-ai-training": (
        "A confidential InMail, still identifiable, was used in AI training: it reached {where}."
    ),
    "exempt-region-in-ai-training": (
        "A message with a member of an exempt region was used in AI training: it reached {where}."
    ),
    "ai-training-without-consent": (
        "A message was used in AI training without the consent of every party: it reached {where}."
    ),
    "ai-training-before-disclosure": (
        "A message was used in AI training before the policy then in force was disclosed: it"
        " reached {where}."
    ),
}
_OF_ANY: Final = "The message broke the rule {rule} of the policy in {where}."


def minutes(at: Any) -> str:  # noqa: ANN401 -- a datetime, or None
    """Return an instant for people: UTC, and no more digits than it has."""
    if at is None:
        return "—"
    text = at.isoformat(sep=" ", timespec="microseconds" if at.microsecond else "seconds")
    return f"{text} UTC"


def breach_in_words(flag: Mapping[str, Any]) -> str:
    """Return sentences for a flag: what happened, when, and by which policy.

    Words tell what a rule says, not what it is called: a policy may give the name of a built-in
    rule to another text. A rule with another text has no words: its name and text stand for it.
    flag: with the text of its rule as `when`.
    """
    known = rule_texts(BUILT_IN_DOCUMENT).get(flag["rule"]) == flag["when"]
    whose = f", {flag['recipient']}" if flag["recipient"] else ""
    said = (_OF_RULE.get(flag["rule"], _OF_ANY) if known else _OF_ANY).format(
        where=flag["dataset"], whose=whose, rule=flag["rule"]
    )
    times = f", {flag['arrivals']} times in all" if flag["arrivals"] > 1 else ""
    return (
        f"{said} It first happened on {minutes(flag['first_at'])}{times}, judged by the policy"
        f" {flag['policy_id']}."
    )
