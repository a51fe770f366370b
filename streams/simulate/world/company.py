"""Describes the simulated company: its datasets, its policies, and when each was in force.

Everything is fictional. The policies follow the public timeline of a default-on setting for
training generative AI on members' data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources

import yaml

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEVER = 2**62
"""An instant after all others, in microseconds since 1970, as every instant here is."""


def micros(text: str) -> int:
    """Parse an instant to microseconds since 1970, as RFC 3339 writes it."""
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - _EPOCH) // timedelta(
        microseconds=1
    )


def rfc3339(at: int) -> str:
    """Spell an instant with six fractional digits and Z."""
    return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%dT%H:%M:%S.%fZ}"


START = micros("2024-06-01T00:00:00Z")
DEFAULT_ON = micros("2024-08-01T00:00:00Z")
DISCLOSED = micros("2024-09-18T00:00:00Z")
NOTICE = micros("2025-11-03T00:00:00Z")
END = micros("2026-02-01T00:00:00Z")


@dataclass(frozen=True)
class Era:
    """A stretch of time, [start, end), in which the same rules hold in the same way."""

    start: int
    end: int


BEFORE_POLICY = Era(START, DEFAULT_ON)
UNDISCLOSED = Era(DEFAULT_ON, DISCLOSED)
OPEN = Era(DISCLOSED, NOTICE)
AFTER_NOTICE = Era(NOTICE, END)
WITH_POLICY = Era(DEFAULT_ON, END)
ALWAYS = Era(START, END)

# Rules, by the ids that the policies give them.
THIRD_PARTY = "confidential-inmail-to-third-party"
UNDECLARED = "confidential-inmail-to-undeclared-dataset"
CONFIDENTIAL_TRAINING = "confidential-inmail-in-ai-training"
PRIVATE_TRAINING = "private-message-in-ai-training"
EXEMPT_TRAINING = "exempt-region-in-ai-training"
WITHOUT_CONSENT = "ai-training-without-consent"
BEFORE_DISCLOSURE = "ai-training-before-disclosure"

METHOD = "k-anonymity"


@dataclass(frozen=True)
class Policy:
    """A policy of the timeline; `severity` is by rule id. Only the built-in has no document."""

    policy_id: str
    effective_at: int
    disclosed_at: int
    document: str
    severity: dict[str, str]
    exempt: frozenset[str]
    min_k: int


def _published(policy_id: str, effective_at: int, disclosed_at: int) -> Policy:
    file = resources.files("streams.simulate.world") / "policies" / f"{policy_id}.yaml"
    document = file.read_text(encoding="utf-8")
    parsed = yaml.safe_load(document)
    return Policy(
        policy_id=policy_id,
        effective_at=effective_at,
        disclosed_at=disclosed_at,
        document=document,
        severity={rule["id"]: rule["severity"] for rule in parsed["rules"]},
        exempt=frozenset(parsed["ai_training_exempt_regions"]),
        min_k=parsed["declassification"][0]["min_k"],
    )


DEFAULT_ON_POLICY = _published("2024-08-default-on", DEFAULT_ON, DISCLOSED)
NOTICE_POLICY = _published("2025-11-notice", NOTICE, micros("2025-09-18T00:00:00Z"))
PUBLISHED = (DEFAULT_ON_POLICY, NOTICE_POLICY)
# The text of the built-in policy is the contract's; the first published one differs from it only
# in accepting a declassification and in its disclosure.
BUILT_IN = Policy(
    "built-in", -NEVER, -NEVER, "", DEFAULT_ON_POLICY.severity, DEFAULT_ON_POLICY.exempt, NEVER
)


def policy_at(at: int) -> Policy:
    """Return the policy in force at an instant; one holds from its very instant on."""
    return next((p for p in reversed(PUBLISHED) if p.effective_at <= at), BUILT_IN)


ORIGIN = "messaging.messages"
RAW = "warehouse.messages_raw"
CURATED = "warehouse.messages_curated"
REKEYED = "warehouse.messages_by_surrogate_key"
ANONYMISED = "warehouse.messages_anonymised"
FEATURES = "features.conversation"
EMBEDDINGS = "embeddings.message"
REVIEW = "notebooks.quality_review"
SEARCH = "sinks.search_index"
ASSISTANT_CORPUS = "training.assistant_corpus"
RANKING_CORPUS = "training.ranking_corpus"
MODEL = "models.assistant"
INSIGHTS = "vendors.insights"
TRANSLATION = "vendors.translation"
PARTNER = "partners.crm_mirror"
ARCHIVE = "partners.cold_archive"
SCRATCH = "scratch.adhoc_dump"
"""Never declared."""

PARTNER_SOLD = micros("2025-03-01T00:00:00Z")
"""From here on the partner's mirror, declared first party before, is a third party's."""
PARTNER_SOLD_LOGGED = micros("2025-04-01T00:00:00Z")
ARCHIVE_DECLARED = micros("2025-12-01T00:00:00Z")
"""The archive is declared only now; this, its earliest declaration, holds for all before."""


@dataclass(frozen=True)
class Declaration:
    """A declaration of a dataset, and when it comes in the log."""

    dataset: str
    kind: str
    recipient: str | None = None
    declared_at: int = START
    log_at: int = START

    @property
    def party(self) -> str:
        """THIRD if there is a recipient."""
        return "FIRST" if self.recipient is None else "THIRD"


DECLARATIONS = (
    Declaration(ORIGIN, "TOPIC"),
    Declaration(RAW, "TABLE"),
    Declaration(CURATED, "TABLE"),
    Declaration(REKEYED, "TABLE"),
    Declaration(ANONYMISED, "TABLE"),
    Declaration(FEATURES, "FEATURE_STORE"),
    Declaration(EMBEDDINGS, "FEATURE_STORE"),
    Declaration(REVIEW, "TABLE"),
    Declaration(SEARCH, "SINK"),
    Declaration(ASSISTANT_CORPUS, "TRAINING_CORPUS"),
    Declaration(RANKING_CORPUS, "TRAINING_CORPUS"),
    Declaration(MODEL, "MODEL"),
    Declaration(INSIGHTS, "SINK", "Example Insights"),
    Declaration(TRANSLATION, "SINK", "Example Translation"),
    Declaration(PARTNER, "SINK"),
    Declaration(PARTNER, "SINK", "Example Partner", PARTNER_SOLD, PARTNER_SOLD_LOGGED),
    Declaration(ARCHIVE, "SINK", "Example Archive", ARCHIVE_DECLARED, ARCHIVE_DECLARED),
)
