"""Leaks into AI training: what a corpus or a model must not have been given.

Each function is a recipe, as in `exports`. A corpus and the model trained on it are two datasets,
and each of them is flagged.
"""

from __future__ import annotations

from streams.simulate.leaks.scenario import Recipes, around
from streams.simulate.leaks.scenario_builder import EXEMPT_REGIONS, Breaks, Planter, Record
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

RECIPES = Recipes()
_ENOUGH = company.NOTICE_POLICY.min_k


def train(
    p: Planter,
    *records: Record,
    source: str = CURATED,
    breaks: Breaks = (),
    shard_at: int | None = None,
    model_at: int | None = None,
) -> Record:
    """A shard of the records, and a model of the shard; both break the same."""
    shard = p.merge("AGGREGATE", source, ASSISTANT_CORPUS, *records, breaks=breaks, at=shard_at)
    return p.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, breaks=breaks, at=model_at)


def anonymise(p: Planter, *records: Record, at: int | None = None) -> None:
    """Bring messages into the anonymised table, well enough for every published policy."""
    p.curate(*records)
    p.move("ANONYMIZE", CURATED, ANONYMISED, *records, k=_ENOUGH, at=at)


@RECIPES.leak(messages=3, era=company.OPEN)
def confidential_in_shard(p: Planter) -> None:
    """A shard holds one confidential InMail among messages that may train."""
    secret, others = p.inmail(), (p.direct(), p.direct())
    p.curate(secret, *others)
    train(p, *others, secret, breaks=[(CONFIDENTIAL_TRAINING, secret)])


@RECIPES.leak(messages=2, era=company.OPEN)
def model_shipped(p: Planter) -> None:
    """A model trained on a confidential InMail goes to a third party."""
    secret, other = p.inmail(), p.direct()
    p.curate(secret, other)
    model = train(p, secret, other, breaks=[(CONFIDENTIAL_TRAINING, secret)])
    p.move("EXPORT", MODEL, INSIGHTS, model, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.OPEN)
def consent_race(p: Planter) -> None:
    """Consent is withdrawn at the very instant of the shard, or a microsecond before."""
    a, b = p.member(), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    at = p.later()
    p.consent(p.draws.pick((a, b)), False, at - p.draws.below(2))
    train(p, message, breaks=[(WITHOUT_CONSENT, message)], shard_at=at)


@RECIPES.leak(messages=1, era=company.OPEN)
def withdrawal_late_in_log(p: Planter) -> None:
    """Consent was withdrawn before the shard, and the log says so after the model."""
    a, b = p.member(), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    p.consent(b, False, p.later(), log_at=p.at + 3 * company.DAY)
    train(p, message, breaks=[(WITHOUT_CONSENT, message)])


@RECIPES.leak(messages=1, era=company.OPEN)
def withdrawn_between_shard_and_model(p: Planter) -> None:
    """Consent held for the shard; when the model was trained, it did not."""
    a, b = p.member(), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    shard = p.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message)
    p.consent(a, False, p.later())
    p.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, breaks=[(WITHOUT_CONSENT, message)])


@RECIPES.leak(messages=1, era=company.OPEN)
def refusal_wins_tie(p: Planter) -> None:
    """Consent is refused and given at the same instant."""
    a, b = p.member(), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    at = p.later()
    first = p.draws.below(2) == 0
    for granted in (first, not first):
        p.consent(a, granted, at)
    train(p, message, breaks=[(WITHOUT_CONSENT, message)])


@RECIPES.leak(messages=1, era=company.OPEN)
def one_of_a_group_refuses(p: Planter) -> None:
    """One of many parties never consented, and no change says otherwise."""
    group = [p.member() for _ in range(5 + p.draws.below(10))]
    message = p.send("GROUP", *group, p.member(ai=False))
    p.curate(message)
    train(p, message, breaks=[(WITHOUT_CONSENT, message)])


@RECIPES.leak(messages=1, era=company.AFTER_NOTICE)
def anonymised_without_consent(p: Planter) -> None:
    """It is anonymised, which no consent is needed for; training needs it all the same."""
    message = p.send("DIRECT", p.member(), p.member(ai=False))
    anonymise(p, message)
    train(p, message, source=ANONYMISED, breaks=[(WITHOUT_CONSENT, message)])


@RECIPES.leak(messages=1, era=company.OPEN)
def exempt_region(p: Planter) -> None:
    """A party is in an exempt region; the consent that is tagged changes nothing."""
    message = p.send("DIRECT", p.member(), p.member(region=p.draws.pick(EXEMPT_REGIONS)))
    p.curate(message)
    train(p, message, breaks=[(EXEMPT_TRAINING, message)])


@RECIPES.leak(messages=1, era=company.AFTER_NOTICE)
def region_still_exempt(p: Planter) -> None:
    """A party is in mainland China, which the end of the exemption left out."""
    message = p.send("DIRECT", p.member(region="CN"), p.member())
    anonymise(p, message)
    train(p, message, source=ANONYMISED, breaks=[(EXEMPT_TRAINING, message)])


@RECIPES.leak(messages=2, era=company.AFTER_NOTICE)
def private_after_notice(p: Planter) -> None:
    """Private messages train, which the notice excludes; one is confidential besides."""
    secret, other = p.inmail(), p.direct()
    p.curate(secret, other)
    broken = [(PRIVATE_TRAINING, m) for m in (secret, other)]
    train(p, secret, other, breaks=[*broken, (CONFIDENTIAL_TRAINING, secret)])


@RECIPES.leak(messages=1, era=around(NOTICE))
def shard_from_before_notice(p: Planter) -> None:
    """The shard is older than the notice, the model is trained at its very instant."""
    message = p.direct()
    p.curate(message)
    shard = p.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message, at=NOTICE - 1)
    broken = [(PRIVATE_TRAINING, message)]
    p.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, at=NOTICE, breaks=broken)


@RECIPES.leak(messages=2, era=company.UNDISCLOSED)
def before_disclosure(p: Planter) -> None:
    """Messages train under a policy that nobody was told of yet; one is confidential besides."""
    secret, other = p.inmail(), p.direct()
    p.curate(secret, other)
    broken = [(BEFORE_DISCLOSURE, m) for m in (secret, other)]
    train(p, secret, other, breaks=[*broken, (CONFIDENTIAL_TRAINING, secret)])


@RECIPES.leak(messages=1, era=around(DISCLOSED))
def shard_before_disclosure(p: Planter) -> None:
    """The shard is a microsecond too early; the model, trained at the instant, is not."""
    message = p.direct()
    p.curate(message)
    broken = [(BEFORE_DISCLOSURE, message)]
    at = DISCLOSED - 1
    shard = p.merge("AGGREGATE", CURATED, ASSISTANT_CORPUS, message, at=at, breaks=broken)
    p.merge("TRAIN", ASSISTANT_CORPUS, MODEL, shard, at=DISCLOSED)
