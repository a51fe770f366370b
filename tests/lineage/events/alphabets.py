"""The few values that adversarial logs are made of, each there because it could go wrong."""

from datetime import datetime, timedelta

from tests.lineage.events.builders import PAYING_TIERS

# The first are what a failure shrinks to. The rest: prefixes of one another; a UUID as it is
# usually written and as other spellings that a UUID type would take for the same; numbers; quotes;
# one character composed and decomposed; U+FF5E and U+1F600, which UTF-16 orders the other way.
IDS = (
    *("a", "b", "c", "d", "e"),
    *("a ", "aa", " a", "A", "urn:id:a", "/"),
    "01920b3c-5a1e-7c3d-8f00-0123456789ab",
    "01920B3C-5A1E-7C3D-8F00-0123456789AB",
    "01920b3c5a1e7c3d8f000123456789ab",
    "{01920b3c-5a1e-7c3d-8f00-0123456789ab}",
    "01920b3c-5a1e-7c3d-8f00-0123456789ac",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "00000000-0000-0000-0000-000000000000",
    *("0", "00", "-1", "1e3"),
    *("o'brien", 'say "hi"', "a,b", "a\tb", "a\0b", "%", "null", "NULL"),
    *("\u00e9", "e\u0301", "\uff5e", "\U0001f600"),
    "x" * 256,
)
DATASETS = (
    "inbox",
    "lake",
    "corpus",
    "sink",
    "a",
    "Inbox",
    "kafka.inbox",
    "01920b3c-5a1e-7c3d-8f00-0123456789ab",
)
TIERS = ("FREE", *PAYING_TIERS)
REGIONS = ("US", "DE", "NO", "CN", "BR")
OPERATIONS = (
    *("COPY", "TRANSFORM", "JOIN", "AGGREGATE", "ANONYMIZE"),
    *("EMBED", "TRAIN", "EXPORT", "READ"),
)
KINDS = ("SINK", "TRAINING_CORPUS", "MODEL", "TABLE", "TOPIC", "FEATURE_STORE")
METHODS = ("k-anonymity", "noise")
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
RECIPIENTS = (None, "Acme", "O'Brien & Söhne")
RULE_IDS = ("r", "s", "confidential-inmail-to-third-party", "R")

RULES = (
    "confidential and identifiable and party = 'THIRD'",
    "confidential and identifiable and not declared",
    "not ai_training_consent and kind in ('TRAINING_CORPUS', 'MODEL')",
    "true",
    "false",
    # Null, now and then or always.
    "party <> 'FIRST'",
    "not (kind = 'TABLE')",
    "kind in ('SINK', null)",
    "recipient is null",
    "confidential or null",
    "case when channel = 'INMAIL' then identifiable when exempt_region then not disclosed end",
    "case kind when 'SINK' then true when 'MODEL' then not third_party_consent end",
    "coalesce(recipient, kind, dataset) = 'Acme'",
    "recipient is distinct from 'Acme'",
    # What no two arrivals share.
    "message_id = 'a'",
    "MESSAGE_ID <> 'a' and Disclosed",
    "\"message_id\" in ('a', 'b', 'é')",
    "starts_with(message_id, 'a')",
    "arrived_at >= '2024-09-18 00:00:00.000001'",
    "arrived_at between '2024-09-18 00:00:00' and '2024-09-18 00:00:00.000001'",
    "year(arrived_at) = 2024 and operation <> 'SEND'",
    "dataset = message_id",
    # Instants in other zones.
    "arrived_at > '2024-09-18T02:00:00.000001+02:00'",
    "arrived_at in ('2024-09-17T18:30:00-05:30', '2024-09-19T00:00:00Z')",
    # Patterns that are matched otherwise than DuckDB would.
    "dataset like '_a%e'",
    "message_id not ilike '%A_'",
    "coalesce(recipient, dataset) ilike '%o%b_%!_%' escape '!'",
    "dataset glob '*n*x'",
    "regexp_matches(dataset, 'I.*b', 'is')",
    # Texts compare as texts, whatever they are stored as.
    "kind < 'SINK'",
    "operation >= 'EXPORT'",
    "length(dataset) = length(kind)",
    "lower(channel) = 'inmail' and upper(dataset) = 'INBOX'",
    "recipient like 'O''B%'",
    "recipient = 'O''Brien & Söhne'",
    # Flags compare as booleans.
    "identifiable = exempt_region",
    "ai_training_consent <> third_party_consent",
    "operation in ('SEND', 'EXPORT') or not (ai_training_consent and third_party_consent)",
)

BASE = datetime(2024, 9, 18)
MOMENTS = tuple(
    f"{(BASE + timedelta(days=days, microseconds=micros)).isoformat(timespec='microseconds')}Z"
    for days, micros in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (30, 0))
)
FAR_MOMENTS = ("1970-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z")
