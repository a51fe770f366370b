"""Leaks and near misses of the worst mix: one message of two parties, three hops of one record.

Each function is a scenario, as in `exports`: COPY, TRANSFORM and EXPORT, every record keeps its id.
"""

from __future__ import annotations

from streams.simulate.leaks.scenario import Scenarios
from streams.simulate.leaks.scenario_builder import EXEMPT_REGIONS, PAYING, ScenarioBuilder
from streams.simulate.world import company
from streams.simulate.world.company import (
    ANONYMISED,
    ARCHIVE,
    ASSISTANT_CORPUS,
    BEFORE_DISCLOSURE,
    CONFIDENTIAL_TRAINING,
    CURATED,
    EXEMPT_TRAINING,
    INSIGHTS,
    ORIGIN,
    PARTNER,
    PARTNER_SOLD,
    PRIVATE_TRAINING,
    RAW,
    SCRATCH,
    THIRD_PARTY,
    UNDECLARED,
    WITHOUT_CONSENT,
)

SCENARIOS = Scenarios()


@SCENARIOS.leak(messages=1)
def straight_export(build: ScenarioBuilder) -> None:
    """Export a confidential InMail."""
    secret = build.inmail()
    build.curate(secret)
    build.move("EXPORT", CURATED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1)
def laundered_by_undeclared_dataset(build: ScenarioBuilder) -> None:
    """Export a confidential InMail to a third party by way of an undeclared dataset."""
    secret = build.inmail()
    build.move("COPY", ORIGIN, RAW, secret)
    build.move("TRANSFORM", RAW, SCRATCH, secret, breaks=[(UNDECLARED, secret)])
    build.move("EXPORT", SCRATCH, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def consent_race(build: ScenarioBuilder) -> None:
    """Withdraw consent at the very instant of training, and log the withdrawal later."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    at = build.later()
    build.consent(b, False, at, log_at=at + company.DAY)
    build.move(
        "COPY", CURATED, ASSISTANT_CORPUS, message, at=at, breaks=[(WITHOUT_CONSENT, message)]
    )


@SCENARIOS.leak(messages=1, era=company.AFTER_NOTICE)
def anonymised_too_weakly(build: ScenarioBuilder) -> None:
    """Anonymise an InMail as only the policy before accepted, then export it."""
    secret = build.inmail()
    build.move("COPY", ORIGIN, RAW, secret)
    build.move("TRANSFORM", RAW, ANONYMISED, secret, k=company.NOTICE_POLICY.min_k - 1)
    build.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def exempt_region(build: ScenarioBuilder) -> None:
    """Train on a message with a party in an exempt region."""
    message = build.send(
        "DIRECT", build.member(region=build.random_stream.pick(EXEMPT_REGIONS)), build.member()
    )
    build.curate(message)
    build.move("COPY", CURATED, ASSISTANT_CORPUS, message, breaks=[(EXEMPT_TRAINING, message)])


@SCENARIOS.leak(messages=1, era=company.UNDISCLOSED)
def before_disclosure(build: ScenarioBuilder) -> None:
    """Train on a message before the policy is disclosed."""
    message = build.direct()
    build.curate(message)
    build.move("COPY", CURATED, ASSISTANT_CORPUS, message, breaks=[(BEFORE_DISCLOSURE, message)])


@SCENARIOS.leak(messages=1, era=company.AFTER_NOTICE)
def private_after_notice(build: ScenarioBuilder) -> None:
    """Train on a confidential InMail after the notice that excludes private messages."""
    secret = build.inmail()
    build.curate(secret)
    broken = [(CONFIDENTIAL_TRAINING, secret), (PRIVATE_TRAINING, secret)]
    build.move("COPY", CURATED, ASSISTANT_CORPUS, secret, breaks=broken)


@SCENARIOS.leak(messages=1, era=company.Era(PARTNER_SOLD, company.END))
def partner_became_third_party(build: ScenarioBuilder) -> None:
    """Export to a partner that became a third party."""
    secret = build.inmail()
    build.curate(secret)
    build.move("EXPORT", CURATED, PARTNER, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.Era(company.START, company.ARCHIVE_DECLARED))
def declared_only_later(build: ScenarioBuilder) -> None:
    """Export to a third party that is declared only later."""
    secret = build.inmail()
    build.curate(secret)
    build.move("EXPORT", CURATED, ARCHIVE, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.near_miss(messages=1)
def direct_message_exported(build: ScenarioBuilder) -> None:
    """Export paying members' direct message."""
    message = build.send(
        "DIRECT",
        build.member(build.random_stream.pick(PAYING)),
        build.member(build.random_stream.pick(PAYING)),
    )
    build.curate(message)
    build.move("EXPORT", CURATED, INSIGHTS, message)


@SCENARIOS.near_miss(messages=1)
def free_inmail_exported(build: ScenarioBuilder) -> None:
    """Export an InMail between members who do not pay."""
    message = build.send("INMAIL", build.member("FREE"), build.member("FREE"))
    build.curate(message)
    build.move("EXPORT", CURATED, INSIGHTS, message)


@SCENARIOS.near_miss(messages=1, era=company.WITH_POLICY)
def anonymised_just_enough(build: ScenarioBuilder) -> None:
    """Anonymise a confidential InMail by the smallest k that is accepted, then export it."""
    message = build.inmail()
    build.move("COPY", ORIGIN, RAW, message)
    at = build.later()
    build.move("TRANSFORM", RAW, ANONYMISED, message, k=company.policy_at(at).min_k, at=at)
    build.move("EXPORT", ANONYMISED, INSIGHTS, message)


@SCENARIOS.near_miss(messages=1)
def exported_before_curated(build: ScenarioBuilder) -> None:
    """Export a microsecond before the hop that brings the InMail there."""
    message = build.inmail()
    build.move("COPY", ORIGIN, RAW, message)
    at = build.later()
    build.move("EXPORT", CURATED, INSIGHTS, message, carries=(), at=at)
    build.move("TRANSFORM", RAW, CURATED, message, at=at + 1)


@SCENARIOS.near_miss(messages=1, era=company.OPEN)
def withdrawn_after_training(build: ScenarioBuilder) -> None:
    """Withdraw consent a microsecond after training."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    at = build.later()
    build.move("COPY", CURATED, ASSISTANT_CORPUS, message, at=at)
    build.consent(a, False, at + 1)


@SCENARIOS.near_miss(messages=1, era=company.Era(company.START, PARTNER_SOLD))
def partner_still_first_party(build: ScenarioBuilder) -> None:
    """Export to a partner that becomes a third party only later."""
    message = build.inmail()
    build.curate(message)
    build.move("EXPORT", CURATED, PARTNER, message)
