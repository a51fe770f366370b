"""Instants in rules: each means what its offset says, wherever it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import PolicyError
from lineage.policy.rules.rule import FACTS, RuleChecker
from tests.properties import tried
from tests.samples import sampled

# All mean 2024-06-02 00:00:00 in UTC.
SAME = (
    "2024-06-02T02:00:00+02:00",
    "2024-06-02 02:00:00+02:00",
    "2024-06-02 02:00:00 +02:00",
    "2024-06-02 02:00:00+0200",
    "2024-06-02 02:00:00+02",
    "2024-06-01T18:30:00.000000-05:30",
    "2024-06-02T00:00:00Z",
    "2024-06-02t00:00:00z",
    "2024-06-02 00:00:00 UTC",
    "2024-06-02 00:00:00",
    "2024-06-02 00:00",
    "2024-06-02",
    "2024/6/2",
    "2024-06-01 24:00:00",
    "2024-06-02T00:00:00.0000009-00:00",
)
NO_INSTANTS = (
    "2024-06-02 02:00:00 Europe/Berlin",
    "2024-06-02 02:00:00 CEST",
    "2024-06-02 02:00:00 UTC+2",
    "2024-06-02 02:00:00+24:00",
    "2024-06-02 02:00:00+02:60",
    "2024-06-02 02:00:00+02:00:30",
    "2024-06-02 02:00:00+2",
    "2024-06-02+02:00",
    "2024-06-02Z",
    "2024-06-02 02",
    "03:04:05",
    "2024-06-02 (BC)",
    "2024-06-02 24:00:01",
    "2024-06-02 23:59:60",
    "2024-06-02 23:60:00",
    "2024-02-30 00:00:00",
    "0000-01-01",
    "12024-06-02",
    "0001-01-01 00:00:00+01:00",
    "9999-12-31 23:59:59-01:00",
    " 2024-06-02",
    "2024-06-02 ",
    "now",
    "today",
    "",
    "\u0662024-06-02",
)
WHENS = (
    "arrived_at = '{}'",
    "'{}' = arrived_at",
    "not (arrived_at <> '{}')",
    "arrived_at is not distinct from '{}'",
    "arrived_at = timestamp '{}'",
    "arrived_at = cast('{}' as timestamp)",
    "arrived_at = '{}'::timestamp",
    "arrived_at = try_cast('{}' as timestamp)",
    "arrived_at = cast(cast('{}' as timestamp) as timestamp)",
    "arrived_at::date = cast('{}' as timestamp)",
    "arrived_at between '{}' and '{}'",
    "'{}' between arrived_at and arrived_at",
    "arrived_at in ('{}', null)",
    "arrived_at in ('1999-01-01', '{}')",
    "'{}' in (arrived_at)",
    "arrived_at not in ('{}') is false",
    "nullif(arrived_at, '{}') is null",
    "coalesce(null, '{}') = arrived_at",
    "coalesce(arrived_at, '2000-01-01') = coalesce('{}', arrived_at)",
    "case when confidential then '{}' else '2000-01-01' end = arrived_at",
    "case when confidential then '{}' else arrived_at end = arrived_at",
    "case when confidential then '{}' end::timestamp = arrived_at",
    "if(confidential, '{}', null) = arrived_at",
    "ifnull('{}', arrived_at) = arrived_at",
    "case arrived_at when '{}' then true end",
    "greatest(arrived_at, '{}') = arrived_at and least('{}', arrived_at) = arrived_at",
    "date_diff('second', '{}', arrived_at) = 0",
    "datediff('microsecond', arrived_at, '{}') = 0",
    "date_trunc('month', arrived_at) = date_trunc('month', timestamp '{}')",
    "date_trunc('day', arrived_at) = '{}'",
    "arrived_at - timestamp '{}' = interval '0 days'",
    "timestamp '{}' + interval 1 day = arrived_at + interval '1 day'",
    "year(timestamp '{}') = 2024 and hour(timestamp '{}') = 0 and day(timestamp '{}') = 2",
    "epoch(timestamp '{}') = 1717286400",
    "cast(timestamp '{}' as varchar) = '2024-06-02 00:00:00'",
)
AT = datetime(2024, 6, 2)


@lru_cache(maxsize=1)
def shared() -> RuleChecker:
    return RuleChecker()


@pytest.fixture(scope="module")
def checker() -> RuleChecker:
    return shared()


def holds(checker: RuleChecker, when: str, at: datetime = AT) -> bool | None:
    """Evaluate a rule on an arrival at an instant."""
    columns = ", ".join(f"CAST(? AS {type_}) AS {name}" for name, type_ in FACTS.items())
    facts: dict[str, object] = {"arrived_at": at, "confidential": True, "recipient": "2024-06-02"}
    query = f"SELECT {checker.check(when).sql} FROM (SELECT {columns})"
    row = duckdb.execute(query, [facts.get(name) for name in FACTS]).fetchone()
    assert row is not None
    found = row[0]
    assert found is None or isinstance(found, bool)
    return found


@pytest.mark.parametrize("when", sampled(WHENS, 4))
def test_an_instant_is_what_its_offset_says(checker: RuleChecker, when: str) -> None:
    for text in SAME:
        assert holds(checker, when.replace("{}", text)) is True, text
    if "month" not in when:
        other = when.replace("{}", "2024-06-02T00:00:00+02:00")
        assert holds(checker, other) is not True


@pytest.mark.slow
def test_the_time_zone_of_the_process_has_no_influence() -> None:
    program = (
        "from tests.lineage.policy.test_rule_instants import SAME, WHENS, RuleChecker, holds\n"
        "with RuleChecker() as checker:\n"
        "    for when in WHENS:\n"
        "        assert holds(checker, when.replace('{}', SAME[0])) is True, when\n"
    )
    for zone in ("America/New_York", "Asia/Kathmandu"):
        subprocess.run([sys.executable, "-c", program], env={**os.environ, "TZ": zone}, check=True)


@pytest.mark.parametrize("text", NO_INSTANTS)
def test_anything_else_is_refused_with_the_reason(checker: RuleChecker, text: str) -> None:
    for when in (
        f"arrived_at > '{text}'",
        f"arrived_at > timestamp '{text}'",
        f"arrived_at > try_cast('{text}' as timestamp)",
        f"coalesce(arrived_at, '{text}') is null",
        f"case when confidential then '{text}' else arrived_at end is null",
        f"date_diff('day', '{text}', arrived_at) > 1",
    ):
        with pytest.raises(PolicyError) as caught:
            checker.check(when)
        assert "no TIMESTAMP: write an instant" in caught.value.reason or not text.isascii()
        assert not text or text not in caught.value.reason


def test_never_and_ever_are_instants(checker: RuleChecker) -> None:
    assert holds(checker, "arrived_at < 'infinity' and arrived_at > '-infinity'") is True
    assert holds(checker, "arrived_at > 'epoch' and date 'infinity' > arrived_at") is True


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2024-06-02", True),
        ("2024/06/02", True),
        ("2024-06-02+02:00", False),
        ("2024-06-02Z", False),
        ("2024-06-02 00:00:00", False),
        ("2024-06-02T01:00:00+02:00", False),
        ("2024-06-02 Europe/Berlin", False),
        ("2024-02-30", False),
        ("12024-06-02", False),
    ],
)
def test_a_date_has_no_time_and_no_offset(checker: RuleChecker, text: str, good: bool) -> None:
    for when in (
        f"arrived_at::date = date '{text}'",
        f"arrived_at::date = '{text}'",
        f"arrived_at::date in ('{text}')",
        f"cast('{text}' as date) = arrived_at",
        f"coalesce('{text}', arrived_at::date) = arrived_at::date",
    ):
        if good:
            assert holds(checker, when) is True
            continue
        with pytest.raises(PolicyError) as caught:
            checker.check(when)
        assert "no DATE" in caught.value.reason


@pytest.mark.parametrize(
    "when",
    [
        "cast(recipient as timestamp) > '2024-01-01'",
        "try_cast(recipient as timestamp) > '2024-01-01'",
        "recipient::date > '2024-01-01'",
        "(recipient || '-01')::date > date '2024-01-01'",
        "lower('2024-01-01')::timestamp > arrived_at",
        "'2024-01-01'::varchar::timestamp > arrived_at",
        "coalesce(recipient, '2024-01-01')::timestamp > arrived_at",
        "case when confidential then recipient else '2024-01-01' end < arrived_at",
        "arrived_at = recipient",
        "arrived_at in (recipient)",
        "arrived_at in ('2024-01-01', message_id)",
        "recipient < arrived_at::date",
        "arrived_at between recipient and '2024-01-01'",
        "greatest(arrived_at, recipient) is null",
        "nullif(arrived_at, recipient) is null",
        "date_diff('day', recipient, arrived_at) > 1",
        "year(recipient) = 2024",
        "date_trunc('day', '2024-06-02T02:00:00+02:00') is null",
        "date_part('day', '2024-06-02T02:00:00+02:00') = 2",
        "date_diff('day', '2024-06-02T02:00:00+02:00', '2024-06-02') = 0",
        "arrived_at - '2024-06-02T02:00:00+02:00' is null",
        "arrived_at + 'abc' is null",
        "arrived_at + recipient is null",
        "length(recipient)::timestamp is null",
        "greatest('2024-06-02T02:00:00+02:00', '2024-06-02') < arrived_at",
        "timestamptz '2024-06-02T02:00:00+02:00' < arrived_at",
        "timestamp with time zone '2024-06-02T02:00:00+02:00' < arrived_at",
        "'2024-06-02T02:00:00+02:00'::timestamptz::timestamp < arrived_at",
        "timestamp_ns '2024-06-02T02:00:00+02:00' < arrived_at",
        "timestamp_s '2024-06-02T02:00:00+02:00' < arrived_at",
        "arrived_at::timestamp(3) is null",
        "time '02:00:00' is null",
        "arrived_at::time is null",
        "timezone('Europe/Berlin', arrived_at) is null",
        "to_timestamp(0) < arrived_at",
        "make_timestamp(0) < arrived_at",
        "strptime('2024', '%Y') < arrived_at",
    ],
)
def test_text_that_could_have_an_offset_is_never_read_at_run_time(
    checker: RuleChecker, when: str
) -> None:
    with pytest.raises(PolicyError):
        checker.check(when)


@pytest.mark.slow
@tried(300)
@given(
    st.datetimes(datetime(1970, 1, 3), datetime(9999, 12, 29)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.sampled_from(["T", " "]),
    st.integers(-2, 2),
)
def test_agrees_with_python(at: datetime, offset: int, between: str, micros: int) -> None:
    zone = timezone(timedelta(minutes=offset))
    local = at.replace(tzinfo=UTC).astimezone(zone)
    text = local.isoformat(sep=between)
    arrived = at + timedelta(microseconds=micros)
    assert datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) == at
    for operator, expected in (("=", micros == 0), ("<", micros < 0), (">=", micros >= 0)):
        assert holds(shared(), f"arrived_at {operator} '{text}'", arrived) is expected


@tried(100)
@given(st.dates(date(1970, 1, 1)), st.dates(date(1970, 1, 1)))
def test_dates_agree_with_python(one: date, other: date) -> None:
    at = datetime(other.year, other.month, other.day, 12)
    assert holds(shared(), f"arrived_at::date < '{one.isoformat()}'", at) is (other < one)
