"""Simulates the members: who they are, and how each one's consent changes over the simulated time.

A member's consent to AI training starts refused. Outside the exempt regions the setting turns
itself on in August 2024 (basis DEFAULT); in those whose exemption ends, in November 2025 (basis
POLICY). Some withdraw it, and some of these give it again (basis MEMBER). Consent to third
parties is given or not from the start, and sometimes withdrawn.
"""

from __future__ import annotations

from itertools import chain, repeat

import polars as pl

from streams.simulate.world import company
from streams.simulate.world.ids import member_ids, uuid7
from streams.simulate.world.random_stream import below, chance, stream_key

# The share of each tier, in percent.
TIERS = {
    "FREE": 70,
    "PREMIUM_CAREER": 14,
    "PREMIUM_BUSINESS": 7,
    "SALES_NAVIGATOR": 5,
    "RECRUITER": 4,
}
REGIONS = {
    "US": 29, "IN": 15, "BR": 7, "GB": 6, "FR": 4, "DE": 4, "CA": 4, "AU": 3, "MX": 3, "IT": 3,
    "ES": 3, "NL": 2, "TR": 2, "ID": 3, "ZA": 2, "CN": 2, "JP": 2, "HK": 1, "CH": 1, "SE": 1,
    "SG": 1, "PL": 1, "AE": 1,
}  # fmt: skip
_ROLLOUT = 20 * company.DAY
_LATE = 5 * company.DAY


def _by_weight(weights: dict[str, int], key: int, index: pl.Expr) -> pl.Expr:
    values = list(chain.from_iterable(repeat(value, n) for value, n in weights.items()))
    table = pl.Series(values, dtype=pl.Enum(list(weights)))
    return pl.lit(table).gather(below(key, index, len(values))).cast(pl.String)


def make_members(seed: int, count: int, names: pl.Series | None = None) -> pl.DataFrame:
    """Make the member base, one row a member in the order of their numbers.

    names: their ids, if they have some already. Columns: member_id, tier, region, paying,
    exempt (under the first policy), exempt_after (under the second), ai_on_at, ai_off_at,
    ai_on_again_at, third_party_consent (at first), third_off_at; instants in microseconds
    (Int64), NEVER for what does not happen.
    """
    n = pl.col("number")
    key = {
        label: stream_key(seed, "member", label)
        for label in ("tier", "region", "on", "off", "off_at", "again", "third", "third_off")
    }
    base = pl.DataFrame({"number": pl.int_range(count, eager=True)}).with_columns(
        member_id=member_ids(0, count) if names is None else names,
        tier=_by_weight(TIERS, key["tier"], n),
        region=_by_weight(REGIONS, key["region"], n),
    )
    region = pl.col("region")
    never = pl.lit(company.NEVER, dtype=pl.Int64)
    span = pl.lit(company.END) - pl.col("ai_on_at")
    return (
        base.with_columns(
            paying=pl.col("tier") != "FREE",
            exempt=region.is_in(list(company.DEFAULT_ON_POLICY.exempt)),
            exempt_after=region.is_in(list(company.NOTICE_POLICY.exempt)),
        )
        .with_columns(
            ai_on_at=pl.when("exempt_after")
            .then(never)
            .when("exempt")
            .then(company.NOTICE + below(key["on"], n, company.DAY))
            .otherwise(company.DEFAULT_ON + below(key["on"], n, _ROLLOUT))
        )
        .with_columns(
            ai_off_at=pl.when((pl.col("ai_on_at") < never) & chance(key["off"], n, 8))
            .then(pl.col("ai_on_at") + company.HOUR + below(key["off_at"], n, span))
            .otherwise(never)
        )
        .with_columns(
            ai_on_again_at=pl.when((pl.col("ai_off_at") < never) & chance(key["again"], n, 5))
            .then(pl.col("ai_off_at") + company.DAY + below(key["again"], n, 90 * company.DAY))
            .otherwise(never),
            third_party_consent=chance(key["third"], n, 2),
        )
        .with_columns(
            third_off_at=pl.when(pl.col("third_party_consent") & chance(key["third_off"], n, 16))
            .then(company.START + below(key["third_off"], n, company.END - company.START))
            .otherwise(never)
        )
        .drop("number")
    )


def ai_consent_at(at: pl.Expr) -> pl.Expr:
    """Return consent to AI training at an instant; a change holds from its very instant."""
    on = (pl.col("ai_on_at") <= at) & (pl.col("ai_off_at") > at)
    return on | (pl.col("ai_on_again_at") <= at)


def third_party_consent_at(at: pl.Expr) -> pl.Expr:
    """Return consent to third parties at an instant."""
    return pl.col("third_party_consent") & (pl.col("third_off_at") > at)


def consent_changes(seed: int, members: pl.DataFrame) -> pl.DataFrame:
    """Return every change of the member base as ConsentChanged, by effective_at; instants in Int64.

    One withdrawal in fifty comes days late in the log (`log_at`), though nobody acted on the
    consent meanwhile.
    """
    exempt = pl.col("exempt")
    ai, third = "AI_TRAINING", "THIRD_PARTY"
    kinds = (
        ("ai_on_at", ai, True, pl.when(exempt).then(pl.lit("POLICY")).otherwise(pl.lit("DEFAULT"))),
        ("ai_off_at", ai, False, pl.lit("MEMBER")),
        ("ai_on_again_at", ai, True, pl.lit("MEMBER")),
        ("third_off_at", third, False, pl.lit("MEMBER")),
    )
    changes = pl.concat(
        members.filter(pl.col(column) < company.NEVER).select(
            "member_id",
            purpose=pl.lit(purpose),
            granted=pl.lit(granted),
            basis=basis,
            effective_at=pl.col(column),
        )
        for column, purpose, granted, basis in kinds
    )
    changes = changes.sort("effective_at", "member_id", "purpose").with_row_index("n")
    late = ~pl.col("granted") & chance(stream_key(seed, "late"), pl.col("n"), 50)
    delay = company.HOUR + below(stream_key(seed, "lateness"), pl.col("n"), _LATE)
    return changes.select(
        uuid7(changes["effective_at"], stream_key(seed, "change"), changes["n"]).alias("change_id"),
        pl.exclude("n"),
        log_at=pl.col("effective_at") + pl.when(late).then(delay).otherwise(0),
    )
