"""Leaks into AI training: what a corpus or a model must not have been given.

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
    """A shard of the records, and a model of the shard; both break the same."""
    shard = build.merge("AGGREGATE", source, ASSISTANT_CORPUS, *records, breaks=breaks, at=shard_at)
    return build.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, breaks=breaks, at=model_at)


def anonymise(build: ScenarioBuilder, *records: Record, at: int | None = None) -> None:
    """Bring messages into the anonymised table, well enough for every published policy."""
    build.curate(*records)
    build.move("ANONYMIZE", CURATED, ANONYMISED, *records, k=_ENOUGH, at=at)


@SCENARIOS.leak(messages=3, era=company.OPEN)
def confidential_in_shard(build: ScenarioBuilder) -> None:
    """A shard holds one confidential InMail among messages that may train."""
    secret, others = build.inmail(), (build.direct(), build.direct())
    build.curate(secret, *others)
    train(build, *others, secret, breaks=[(CONFIDENTIAL_TRAINING, secret)])


@SCENARIOS.leak(messages=2, era=company.OPEN)
def model_shipped(build: ScenarioBuilder) -> None:
    """A model trained on a confidential InMail goes to a third party."""
    secret, other = build.inmail(), build.direct()
    build.curate(secret, other)
    model = train(build, secret, other, breaks=[(CONFIDENTIAL_TRAINING, secret)])
    build.move("EXPORT", MODEL, INSIGHTS, model, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def consent_race(build: ScenarioBuilder) -> None:
    """Consent is withdrawn at the very instant of the shard, or a microsecond before."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    at = build.later()
    build.consent(build.random_stream.pick((a, b)), False, at - build.random_stream.below(2))
    train(build, message, breaks=[(WITHOUT_CONSENT, message)], shard_at=at)


@SCENARIOS.leak(messages=1, era=company.OPEN)
def withdrawal_late_in_log(build: ScenarioBuilder) -> None:
    """Consent was withdrawn before the shard, and the log says so after the model."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    build.consent(b, False, build.later(), log_at=build.at + 3 * company.DAY)
    train(build, message, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def withdrawn_between_shard_and_model(build: ScenarioBuilder) -> None:
    """Consent held for the shard; when the model was trained, it did not."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    shard = build.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message)
    build.consent(a, False, build.later())
    build.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def refusal_wins_tie(build: ScenarioBuilder) -> None:
    """Consent is refused and given at the same instant."""
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
    """One of many parties never consented, and no change says otherwise."""
    group = [build.member() for _ in range(5 + build.random_stream.below(10))]
    message = build.send("GROUP", *group, build.member(ai=False))
    build.curate(message)
    train(build, message, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.AFTER_NOTICE)
def anonymised_without_consent(build: ScenarioBuilder) -> None:
    """It is anonymised, which no consent is needed for; training needs it all the same."""
    message = build.send("DIRECT", build.member(), build.member(ai=False))
    anonymise(build, message)
    train(build, message, source=ANONYMISED, breaks=[(WITHOUT_CONSENT, message)])


@SCENARIOS.leak(messages=1, era=company.OPEN)
def exempt_region(build: ScenarioBuilder) -> None:
    """A party is in an exempt region; the consent that is with_parties changes nothing."""
    message = build.send(
        "DIRECT", build.member(), build.member(region=build.random_stream.pick(EXEMPT_REGIONS))
    )
    build.curate(message)
    train(build, message, breaks=[(EXEMPT_TRAINING, message)])


@SCENARIOS.leak(messages=1, era=company.AFTER_NOTICE)
def region_still_exempt(build: ScenarioBuilder) -> None:
    """A party is in mainland China, which the end of the exemption left out."""
    message = build.send("DIRECT", build.member(region="CN"), build.member())
    anonymise(build, message)
    train(build, message, source=ANONYMISED, breaks=[(EXEMPT_TRAINING, message)])


@SCENARIOS.leak(messages=2, era=company.AFTER_NOTICE)
def private_after_notice(build: ScenarioBuilder) -> None:
    """Private messages train, which the notice excludes; one is confidential besides."""
    secret, other = build.inmail(), build.direct()
    build.curate(secret, other)
    broken = [(PRIVATE_TRAINING, m) for m in (secret, other)]
    train(build, secret, other, breaks=[*broken, (CONFIDENTIAL_TRAINING, secret)])


@SCENARIOS.leak(messages=1, era=around(NOTICE))
def shard_from_before_notice(build: ScenarioBuilder) -> None:
    """The shard is older than the notice, the model is trained at its very instant."""
    message = build.direct()
    build.curate(message)
    shard = build.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message, at=NOTICE - 1)
    broken = [(PRIVATE_TRAINING, message)]
    build.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, at=NOTICE, breaks=broken)


@SCENARIOS.leak(messages=2, era=company.UNDISCLOSED)
def before_disclosure(build: ScenarioBuilder) -> None:
    """Messages train under a policy that nobody was told of yet; one is confidential besides."""
    secret, other = build.inmail(), build.direct()
    build.curate(secret, other)
    broken = [(BEFORE_DISCLOSURE, m) for m in (secret, other)]
    train(build, secret, other, breaks=[*broken, (CONFIDENTIAL_TRAINING, secret)])


@SCENARIOS.leak(messages=1, era=around(DISCLOSED))
def shard_before_disclosure(build: ScenarioBuilder) -> None:
    """The shard is a microsecond too early; the model, trained at the instant, is not."""
    message = build.direct()
    build.curate(message)
    broken = [(BEFORE_DISCLOSURE, message)]
    at = DISCLOSED - 1
    shard = build.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message, at=at, breaks=broken)
    build.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, at=DISCLOSED)
