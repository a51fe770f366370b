"""Leaks into AI training: messages that must not enter a corpus or a model.

Each function is a scenario, as in `exports`. A corpus and the model trained on it are two datasets,
and each of them is flagged.
"""

from __future__ import annotations

from streams.simulate.leaks.scenario import Scenarios, around
from streams.simulate.leaks.scenario_builder import EXEMPT_REGIONS, Breaks, Record, ScenarioBuilder
from streams.simulate.world import company
from streams.simulate.world.company import (
    ANONYMISED,
    ASSISTANT_CORPUS,
    BEFORE_DISCLOSURE,
    CONFIDENTIAL_TRAINING,
    CURATED,
    DISCLOSED,
    EXEMPT_TRAINING,
    INSIGHTS,
    MODEL,
    NOTICE,
    PRIVATE_TRAINING,
    THIRD_PARTY,
    WITHOUT_CONSENT,
)

SCENARIOS = Scenarios()
_ENOUGH = company.NOTICE_POLICY.min_k


def train(
    build: ScenarioBuilder,
    *records: Record,
    source: str = CURATED,
    breaks: Breaks = (),
    shard_at: int | None = None,
    model_at: int | None = None,
) -> Record:
    """Merge records into a shard, and train a model on the shard; both break the same rules."""
    shard = build.merge("AGGREGATE", source, ASSISTANT_CORPUS, *records, breaks=breaks, at=shard_at)
    return build.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, breaks=breaks, at=model_at)


def anonymise(build: ScenarioBuilder, *records: Record, at: int | None = None) -> None:
    """Bring messages into the anonymised table, well enough for every published policy."""
    build.curate(*records)
    build.move("ANONYMIZE", CURATED, ANONYMISED, *records, k=_ENOUGH, at=at)


@SCENARIOS.leak(messages=3, era=company.OPEN)
def confidential_in_shard(build: ScenarioBuilder) -> None:
    """Train on one confidential InMail in a shard of messages that are allowed."""
    secret, others = build.inmail(), (build.direct(), build.direct())
    build.curate(secret, *others)
    train(build, *others, secret, breaks=[(CONFIDENTIAL_TRAINING, secret)])


@SCENARIOS.leak(messages=2, era=company.OPEN)
def model_shipped(build: ScenarioBuilder) -> None:
    """Export a model trained on a confidential InMail to a third party."""
    secret, other = build.inmail(), build.direct()
    build.curate(secret, other)
    model = train(build, secret, other, breaks=[(CONFIDENTIAL_TRAINING, secret)])
    build.move("EXPORT", MODEL, INSIGHTS, model, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def consent_race(build: ScenarioBuilder) -> None:
    """Withdraw consent at the very instant of the shard, or a microsecond before."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    at = build.later()
    build.consent(build.random_stream.pick((a, b)), False, at - build.random_stream.below(2))
    train(build, message, breaks=[(WITHOUT_CONSENT, message)], shard_at=at)


@SCENARIOS.leak(messages=1, era=company.OPEN)
def withdrawal_late_in_log(build: ScenarioBuilder) -> None:
    """Withdraw consent before the shard, and log the withdrawal after the model."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    build.consent(b, False, build.later(), log_at=build.at + 3 * company.DAY)
    train(build, message, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def withdrawn_between_shard_and_model(build: ScenarioBuilder) -> None:
    """Withdraw consent after the shard and before the model."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    shard = build.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message)
    build.consent(a, False, build.later())
    build.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def refusal_wins_tie(build: ScenarioBuilder) -> None:
    """Refuse and grant consent at the same instant."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    at = build.later()
    first = build.random_stream.below(2) == 0
    for granted in (first, not first):
        build.consent(a, granted, at)
    train(build, message, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def one_of_a_group_refuses(build: ScenarioBuilder) -> None:
    """Train on a group message of which one party never consented, by tag or by change."""
    group = [build.member() for _ in range(5 + build.random_stream.below(10))]
    message = build.send("GROUP", *group, build.member(ai=False))
    build.curate(message)
    train(build, message, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.AFTER_NOTICE)
def anonymised_without_consent(build: ScenarioBuilder) -> None:
    """Anonymise a message, which needs no consent, then train on it, which does all the same."""
    message = build.send("DIRECT", build.member(), build.member(ai=False))
    anonymise(build, message)
    train(build, message, source=ANONYMISED, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def exempt_region(build: ScenarioBuilder) -> None:
    """Train on a message with a party in an exempt region; consent changes nothing."""
    message = build.send(
        "DIRECT", build.member(), build.member(region=build.random_stream.pick(EXEMPT_REGIONS))
    )
    build.curate(message)
    train(build, message, breaks=[(EXEMPT_TRAINING, message)])


@SCENARIOS.leak(messages=1, era=company.AFTER_NOTICE)
def region_still_exempt(build: ScenarioBuilder) -> None:
    """Train on a message from mainland China, where the exemption did not end."""
    message = build.send("DIRECT", build.member(region="CN"), build.member())
    anonymise(build, message)
    train(build, message, source=ANONYMISED, breaks=[(EXEMPT_TRAINING, message)])


@SCENARIOS.leak(messages=2, era=company.AFTER_NOTICE)
def private_after_notice(build: ScenarioBuilder) -> None:
    """Train on private messages, which the notice excludes; one is confidential besides."""
    secret, other = build.inmail(), build.direct()
    build.curate(secret, other)
    broken = [(PRIVATE_TRAINING, m) for m in (secret, other)]
    train(build, secret, other, breaks=[*broken, (CONFIDENTIAL_TRAINING, secret)])


@SCENARIOS.leak(messages=1, era=around(NOTICE))
def shard_from_before_notice(build: ScenarioBuilder) -> None:
    """Merge the shard before the notice, and train the model at the notice's very instant."""
    message = build.direct()
    build.curate(message)
    shard = build.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message, at=NOTICE - 1)
    broken = [(PRIVATE_TRAINING, message)]
    build.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, at=NOTICE, breaks=broken)


@SCENARIOS.leak(messages=2, era=company.UNDISCLOSED)
def before_disclosure(build: ScenarioBuilder) -> None:
    """Train on messages under a policy not yet disclosed; one is confidential besides."""
    secret, other = build.inmail(), build.direct()
    build.curate(secret, other)
    broken = [(BEFORE_DISCLOSURE, m) for m in (secret, other)]
    train(build, secret, other, breaks=[*broken, (CONFIDENTIAL_TRAINING, secret)])


@SCENARIOS.leak(messages=1, era=around(DISCLOSED))
def shard_before_disclosure(build: ScenarioBuilder) -> None:
    """Merge the shard a microsecond before the disclosure, and train the model at the instant."""
    message = build.direct()
    build.curate(message)
    broken = [(BEFORE_DISCLOSURE, message)]
    at = DISCLOSED - 1
    shard = build.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message, at=at, breaks=broken)
    build.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, at=DISCLOSED)
